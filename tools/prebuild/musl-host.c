// A stand-in for Node.js on musl: loads an addon as Node.js does, with every function of Node-API that it may import, and
// asks for its version of Node-API. What the addon needs of the C library is bound at once, so none of it may be missing.
#include <dlfcn.h>
#include <stdio.h>

#define STUB(name) \
  int name(void) { return 9; }
#include "node-api-stubs.h"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  void* addon = dlopen(arguments[1], RTLD_NOW);
  if (addon == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int (*version)(void) = (int (*)(void))dlsym(addon, "node_api_module_get_api_version_v1");
  void* initialize = dlsym(addon, "napi_register_module_v1");
  if (version == NULL || initialize == NULL) return 1;
  printf("loads on musl, Node-API %d\n", version());
  return dlclose(addon);
}
