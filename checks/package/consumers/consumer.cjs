const { report } = require('./report.cjs');

report(require('softmax-native'));
