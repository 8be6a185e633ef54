import * as softmaxNative from 'softmax-native';
import { reportOf } from '../../report.cjs';

export const dynamic = 'force-dynamic';

export const GET = async () => Response.json(await reportOf(softmaxNative));
