# Development and prebuild configuration. The list of sources and flags is native/variants.json, which CMakeLists.txt
# reads too; native/gyp-variants.cjs prints the part asked for.
{
  'variables': {
    'variant%': 'node native/gyp-variants.cjs',
  },
  'target_defaults': {
    'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
    'cflags': ['-fPIC'],
    # node's common.gypi appends its own -std and optimisation flags; ours come last in cflags_cc.
    'cflags!': ['-O2', '-O3', '-fno-strict-aliasing'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-strict-aliasing'],
    'cflags_cc': ['<!@(<(variant) common)'],
    'xcode_settings': {
      'OTHER_CPLUSPLUSFLAGS': ['<!@(<(variant) common)'],
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
  },
  'targets': [
    {
      'target_name': 'softmax_native',
      'sources': ['<!@(<(variant) sources addon)'],
      'dependencies': ['kernels_scalar'],
      # nodelete: a worker that unloads the addon would take code away from threads that still run it.
      'ldflags': ['-Wl,-z,nodelete'],
      'conditions': [
        ["target_arch=='x64'", {'dependencies': ['kernels_avx2', 'kernels_avx512']}],
        ["target_arch=='arm64'", {'dependencies': ['kernels_neon']}],
      ],
    },
    {
      'target_name': 'kernels_scalar',
      'type': 'static_library',
      'win_delay_load_hook': 'false',
      'sources': ['<!@(<(variant) source scalar)'],
      'cflags_cc': ['<!@(<(variant) flags scalar)'],
    },
  ],
  'conditions': [
    ["target_arch=='x64'", {
      'targets': [
        {
          'target_name': 'kernels_avx2',
          'type': 'static_library',
          'win_delay_load_hook': 'false',
          'sources': ['<!@(<(variant) source avx2)'],
          'cflags_cc': ['<!@(<(variant) flags avx2)'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<!@(<(variant) flags avx2)']},
        },
        {
          'target_name': 'kernels_avx512',
          'type': 'static_library',
          'win_delay_load_hook': 'false',
          'sources': ['<!@(<(variant) source avx512)'],
          'cflags_cc': ['<!@(<(variant) flags avx512)'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<!@(<(variant) flags avx512)']},
        },
      ],
    }],
    ["target_arch=='arm64'", {
      'targets': [
        {
          'target_name': 'kernels_neon',
          'type': 'static_library',
          'win_delay_load_hook': 'false',
          'sources': ['<!@(<(variant) source neon)'],
          'cflags_cc': ['<!@(<(variant) flags neon)'],
        },
      ],
    }],
  ],
}
