// What every prebuilt binary has to be: the promises of docs/releasing.md, as data.
import { readFileSync } from 'node:fs';
import { symbols } from 'node-api-headers';

/** Node-API of the version that addon.cc is compiled for. */
const nodeApiVersion = 8;
const { js_native_api_symbols, node_api_symbols } = symbols[`v${nodeApiVersion}`];
export const nodeApi = {
  version: nodeApiVersion,
  names: new Set([...js_native_api_symbols, ...node_api_symbols]),
};

/** What NODE_API_MODULE of node-addon-api exports. */
export const exportedNames = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** One binary serves glibc from here on, and musl. */
export const glibcFloor = '2.28';

export const fileName = 'softmax-native.node';

// musl takes these names for its own; ld-linux-*.so it has not.
const linuxLibraries = /^(?:libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2)$/;
// Of Windows itself. Not node.exe: no other program could load what needs it (native/addon/node_api_windows.cc).
const windowsLibraries = /^(?:kernel32\.dll|msvcrt\.dll|ucrtbase\.dll|api-ms-win-crt-[a-z0-9-]+\.dll)$/i;
const macosLibraries = /^\/usr\/lib\/libSystem\.B\.dylib$/;
const { prebuilds } = JSON.parse(
  readFileSync(new URL('../../native/variants.json', import.meta.url), 'utf8'),
);
const macosLinker = { tool: 'ld', version: prebuilds.llvm };

/** machine: as the header of the file has it. pageSize: the largest of the systems that load the file. */
export const platforms = {
  'linux-x64': { format: 'ELF', machine: 0x3e, pageSize: 0x1000, libraries: linuxLibraries },
  'linux-arm64': { format: 'ELF', machine: 0xb7, pageSize: 0x10000, libraries: linuxLibraries },
  'win32-x64': { format: 'PE', machine: 0x8664, libraries: windowsLibraries },
  'win32-arm64': { format: 'PE', machine: 0xaa64, libraries: windowsLibraries },
  'darwin-x64': {
    format: 'Mach-O',
    machine: 0x1000007,
    pageSize: 0x1000,
    libraries: macosLibraries,
    newestMinimum: '11.0',
    linker: macosLinker,
    isSigned: false,
  },
  'darwin-arm64': {
    format: 'Mach-O',
    machine: 0x100000c,
    pageSize: 0x4000,
    libraries: macosLibraries,
    newestMinimum: '11.0',
    linker: macosLinker,
    isSigned: true,
  },
};

/** The platforms that are named, `all` of them by default; throws for a name that is none. */
export function expectedPlatforms(names) {
  const all = Object.keys(platforms);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of the platforms ${all.join(', ')}`);
  return names.length > 0 ? all.filter((name) => names.includes(name)) : all;
}
