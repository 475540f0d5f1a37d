/**
 * What the native part is made of: the one place that names versions, files, hashes and sizes.
 *
 * One tch fits one libtorch exactly, and mujoco-rs refuses any other libmujoco: change these together with
 * the requirements in Cargo.toml.
 */

/** `cuda` keeps the wheel's GPU half and adds NVIDIA's libraries; its CPU half is the same. */
export type Device = 'cpu' | 'cuda';

/** One file fetched by pip. No Python code in it is ever run. */
export interface Wheel {
  /** Distribution name, as pip knows it. */
  name: string;
  version: string;
  /** SHA-256 of the accepted file, hexadecimal. */
  sha256: string;
  /** Download size, MB. */
  megabytes: number;
  /** Unpacked size before pruning, MB. */
  unpackedMegabytes: number;
  /** What a user can put in its place: the environment variable that makes this wheel unnecessary. */
  replacedBy: 'VIREL_LIBTORCH' | 'VIREL_MUJOCO_DIR' | 'VIREL_MODELS';
}

export const torchVersion = '2.13.0';
export const mujocoVersion = '3.17.0';
export const gymnasiumVersion = '1.4.0';

/**
 * The wheels of one fixed Python (3.11), whatever the local one is: one known file, one known hash.
 * cudart and cupti belong to torch: its CPU library loads them. Of crt only headers are used, by what records CUDA graphs.
 */
export const wheels: readonly Wheel[] = [
  {
    name: 'torch',
    version: torchVersion,
    sha256: '60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7',
    megabytes: 526.6,
    unpackedMegabytes: 1095,
    replacedBy: 'VIREL_LIBTORCH',
  },
  {
    name: 'nvidia-cuda-cupti',
    version: '13.0.85',
    sha256: '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
    megabytes: 10.7,
    unpackedMegabytes: 45,
    replacedBy: 'VIREL_LIBTORCH',
  },
  {
    name: 'nvidia-cuda-runtime',
    version: '13.0.96',
    sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
    megabytes: 2.2,
    unpackedMegabytes: 7,
    replacedBy: 'VIREL_LIBTORCH',
  },
  {
    name: 'nvidia-cuda-crt',
    version: '13.0.88',
    sha256: '2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4',
    megabytes: 0.1,
    unpackedMegabytes: 1,
    replacedBy: 'VIREL_LIBTORCH',
  },
  {
    name: 'mujoco',
    version: mujocoVersion,
    sha256: 'd66928d86a2d1b601bbaa4dc11db50214d17d5301bb8afd84721313b67ff0874',
    megabytes: 26.5,
    unpackedMegabytes: 74,
    replacedBy: 'VIREL_MUJOCO_DIR',
  },
  {
    name: 'gymnasium',
    version: gymnasiumVersion,
    sha256: '1cb947c59e7c72d8eabb2c2274c00cd20948e69f8452a9ef4092223be24fdf0e',
    megabytes: 0.5,
    unpackedMegabytes: 1.5,
    replacedBy: 'VIREL_MODELS',
  },
];

/** NVIDIA's libraries as torch 2.13.0's own metadata pins them; pip resolves the toolkit's parts. */
export const cudaRequirements: readonly string[] = [
  'cuda-toolkit[cublas,cudart,cufft,cufile,cupti,curand,cusolver,cusparse,nvjitlink,nvrtc,nvtx]==13.0.3',
  'nvidia-cudnn-cu13==9.20.0.48',
  'nvidia-cusparselt-cu13==0.8.1',
  'nvidia-nccl-cu13==2.29.7',
  'nvidia-nvshmem-cu13==3.4.5',
];
/** Download and unpacked size of {@link cudaRequirements}, MB. */
export const cudaMegabytes = { download: 2200, unpacked: 4300 };

/** What only a GPU or Python needs of the torch wheel: removed from a CPU set-up. */
export const prunable = /^libtorch_(cuda.*|nvshmem|python)\.so$/;
/** Size of the prunable files, MB. */
export const prunableMegabytes = 530;

/** Crates (download), and what a release build leaves in the target folder, MB. */
export const cargoMegabytes = { download: 16, target: 700 };

/** Oldest tools that work: mujoco-rs 7 needs Rust 1.95, libtorch's headers C++17, the wheels glibc 2.28. */
export const oldest = { rust: '1.95.0', python: '3.10.0', glibc: '2.28', cplusplus: 'C++17' };

/** SHA-256 of Gymnasium 1.4.0's MuJoCo models, the files that the tasks are defined by. */
export const modelHashes: Readonly<Record<string, string>> = {
  'ant.xml': 'cd5f83ef0ea35b0969e65d360c5bacd5b74ccaef6b27e4433b5168c605e3e2be',
  'half_cheetah.xml': '11797a5d69e8ac955e89ca6fdd3a0087f1c990094fda401ac51420de1b6c5494',
  'hopper.xml': '3ce93a055ffdcd83c0c701d2400768e40d2cbb9532f3c4ae33377c27f8b39f9e',
  'humanoid.xml': '85816f372c826d2094b4a598918233bd9c5843b2439119eece2733bdc2e0d073',
  'humanoidstandup.xml': '9f72a3c4ef956d0d8b1fb555a6ae1a5c22334c5c58cf814ef987ea4d3880e8fc',
  'inverted_double_pendulum.xml':
    '2b4eadf03bd79a8772abd4c1a626b5755747f841801a694ea9528cc49211ba46',
  'inverted_pendulum.xml': '80910a9af85cd47072be82d6f92c5e6a115d0eecc3eb464e58542b285c89fb7f',
  'point.xml': 'd0f71754a08c82fb4421801c56abeab45f7c186aa55f88809909a8ae2ff5c24f',
  'pusher.xml': '561fb1a4f254afbbcdaf44b980aeaeb1a77ed67773f5f4d1653ecf2e1457dff5',
  'pusher_v5.xml': '3c9a717f6d2cecd555ab9b78694dba71019fa233230c68c8197ebb07d6713879',
  'reacher.xml': '3fabc64fc738326485a8231a9a649f784090a0c3d8215f8d2ccd6038b8e60cc4',
  'swimmer.xml': '25b0d46bf5522920fea6a579353aee39d391ad9e2a0574b53f83704c11b21b12',
  'walker2d.xml': 'ac13373c7ac9003a5311c4704b314ed11149b3dd7600bbc02770487300f9ad2d',
  'walker2d_v5.xml': '6bed53a6cc3ca73c4fe8ac3486d3b4228927264a6454f4ef16d3eed3c58bc09d',
};
