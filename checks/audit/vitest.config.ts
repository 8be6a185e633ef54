// Faulty binaries, which the audit has to find: npm run check audit-tests. It needs gcc and LLVM (Debian: llvm); for Windows and macOS
// the prebuild's zig.
import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['test/audit/*.test.ts'], testTimeout: 120_000 } });
