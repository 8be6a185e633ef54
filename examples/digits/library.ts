import type { BackendChoice } from './options.js';

export type Library = Pick<typeof import('softmax-native'), 'softmax' | 'crossEntropy' | 'backend'>;

/** The plain import chooses the backend itself; the two others insist on one. */
export async function loadLibrary(choice: BackendChoice): Promise<Library> {
  switch (choice) {
    case 'native':
      return import('softmax-native/native');
    case 'js':
      return import('softmax-native/js');
    case 'auto':
      return import('softmax-native');
  }
}
