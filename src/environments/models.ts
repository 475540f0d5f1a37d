/** The MJCF file of each task, by its name in Gymnasium's folder of assets. */
export const MODEL_FILES: { readonly [id: string]: string } = {
  'HalfCheetah-v4': 'half_cheetah.xml',
  'HalfCheetah-v5': 'half_cheetah.xml',
  'Hopper-v4': 'hopper.xml',
  'Hopper-v5': 'hopper.xml',
  'Walker2d-v4': 'walker2d.xml',
  'Walker2d-v5': 'walker2d_v5.xml',
  'InvertedPendulum-v4': 'inverted_pendulum.xml',
  'InvertedPendulum-v5': 'inverted_pendulum.xml',
};
