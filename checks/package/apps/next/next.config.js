module.exports = {
  output: 'standalone',
  outputFileTracingRoot: __dirname,
  serverExternalPackages: process.env.EXTERNAL === 'yes' ? ['softmax-native'] : [],
};
