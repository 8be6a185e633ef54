// Checks of names that binaries of every format have: exported, imported, of libraries.
import { exportedNames, nodeApi } from './platforms.mjs';

/** At most three names of many. */
export function some(names) {
  const sorted = [...names].sort();
  const more = sorted.length > 3 ? ` and ${sorted.length - 3} more` : '';
  return sorted.slice(0, 3).join(', ') + more;
}

export const isNodeApi = (name) => /^(?:napi|node_api)_/.test(name);

export function checkExports(exported) {
  const missing = exportedNames.filter((name) => !exported.includes(name));
  const others = exported.filter((name) => !exportedNames.includes(name));
  return [
    ...(missing.length > 0 ? [`does not export ${some(missing)}`] : []),
    ...(others.length > 0 ? [`exports ${some(others)}`] : []),
  ];
}

export function checkNodeApi(imported) {
  const newer = imported.filter((name) => isNodeApi(name) && !nodeApi.names.has(name));
  return newer.length > 0 ? [`imports ${some(newer)}, not of Node-API ${nodeApi.version}`] : [];
}

export function checkLibraries(needed, allowed) {
  const foreign = needed.filter((name) => !allowed.test(name));
  return foreign.length > 0 ? [`needs the library ${some(foreign)}`] : [];
}

/** -1, 0 or 1 for versions like 2.9 and 2.28. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
