import * as softmaxNative from 'softmax-native';
import { report } from './report.cjs';

report(softmaxNative);
