import * as softmaxNative from 'softmax-native/wasm';
import { report } from './report.cjs';

report(softmaxNative);
