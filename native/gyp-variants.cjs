// Prints parts of variants.json for binding.gyp, one item a line:
//   sources [addon]   sources of the runtime (and the addon)
//   common            flags of every object
//   source|flags ISA  source or own flags of one ISA object
const { common, variants } = require('./variants.json');

const [what, name] = process.argv.slice(2);
const lists = {
  sources: () =>
    [...common.sources, ...(name === 'addon' ? common.addon : [])].map((file) => `native/${file}`),
  common: () => common.flags,
  source: () => [`native/${variants[name].source}`],
  flags: () => variants[name].flags,
};
console.log(lists[what]().join('\n'));
