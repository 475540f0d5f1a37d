import { describe, expect, it } from '@jest/globals';
import { cargoVariables } from '../../src/setup/link.js';

describe('the environment of cargo', () => {
  it("names our libraries and none of tch's other ways to find some", () => {
    const foreign = {
      LIBTORCH: '/other',
      LIBTORCH_USE_PYTORCH: '1',
      LIBTORCH_INCLUDE: '/other/include',
      LIBTORCH_STATIC: '1',
      LIBTORCH_CXX11_ABI: '0',
      LIBTORCH_BYPASS_VERSION_CHECK: '1',
    };
    const env = { PATH: '/bin', ...foreign };
    expect(cargoVariables(env, { libtorch: '/torch', linkDirectory: '/link' })).toEqual({
      PATH: '/bin',
      LIBTORCH: '/torch',
      LIBTORCH_LIB: '/link',
      MUJOCO_DYNAMIC_LINK_DIR: '/link/mujoco',
    });
  });
});
