// Worker threads know no TypeScript by themselves.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
