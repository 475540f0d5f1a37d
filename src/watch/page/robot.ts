/** The robot of a recording: MuJoCo's own WebAssembly turns recorded positions into the places of its parts. */
import loadMujoco, { type MainModule, type MjData, type MjModel } from '@mujoco/mujoco';
import type { Assets } from './source.js';

/** Shapes by MuJoCo's numbers (mjtGeom). */
export const SHAPES = [
  'plane',
  'hfield',
  'sphere',
  'capsule',
  'ellipsoid',
  'cylinder',
  'box',
  'mesh',
] as const;

/** A part as it is drawn. */
export interface Part {
  /** MuJoCo's number of the geom. */
  readonly geom: number;
  /** Number of the body that it belongs to; 0 is the world. */
  readonly body: number;
  readonly shape: (typeof SHAPES)[number];
  readonly size: readonly [number, number, number];
  readonly colour: readonly [red: number, green: number, blue: number, alpha: number];
  /** Corners and triangles of a mesh or a height field, in its own frame. */
  readonly mesh?: { readonly corners: Float32Array; readonly triangles: Uint32Array };
}

/** A model that can be posed. */
export interface Robot {
  readonly nq: number;
  readonly parts: readonly Part[];
  /** Poses the robot; afterwards the functions below tell of this pose. */
  pose(qpos: Float32Array): void;
  /** Centre of a part. */
  position(geom: number): readonly [number, number, number];
  /** Rotation of a part, row by row. */
  rotation(geom: number): ArrayLike<number>;
  /** Where its first body is. */
  root(): readonly [number, number, number];
  dispose(): void;
}

let mujoco: Promise<MainModule> | undefined;

/** Loads MuJoCo, once; where that failed, again. */
function load(wasm: () => Promise<ArrayBuffer>): Promise<MainModule> {
  mujoco ??= wasm()
    .then((wasmBinary) => loadMujoco({ wasmBinary, print: () => {}, printErr: () => {} }))
    .catch((error: unknown) => {
      mujoco = undefined;
      throw error;
    });
  return mujoco;
}

/** Geoms of other groups are not drawn by MuJoCo's own viewer either. */
const MOST_GROUP = 2;

const three = (values: ArrayLike<number>, index: number) =>
  [values[3 * index], values[3 * index + 1], values[3 * index + 2]] as [number, number, number];

/** Corners and triangles of a mesh. */
function meshOf(model: MjModel, id: number): Part['mesh'] {
  const [corner, corners] = [model.mesh_vertadr[id], model.mesh_vertnum[id]];
  const [face, faces] = [model.mesh_faceadr[id], model.mesh_facenum[id]];
  return {
    corners: Float32Array.from(model.mesh_vert.slice(3 * corner, 3 * (corner + corners))),
    triangles: Uint32Array.from(model.mesh_face.slice(3 * face, 3 * (face + faces))),
  };
}

/** Corners and triangles of a height field: its surface, over the whole of its ground. */
function fieldOf(model: MjModel, id: number): Part['mesh'] {
  const [rows, columns]: [number, number] = [model.hfield_nrow[id], model.hfield_ncol[id]];
  const [x, y, top] = model.hfield_size.slice(4 * id, 4 * id + 3) as ArrayLike<number> as number[];
  const from: number = model.hfield_adr[id];
  const share = (index: number, count: number) => (2 * index) / (count - 1) - 1;
  const corners = Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const height = (top as number) * model.hfield_data[from + index];
    return [(x as number) * share(column, columns), (y as number) * share(row, rows), height];
  });
  const cells = Array.from({ length: (rows - 1) * (columns - 1) }, (_, cell) => {
    const a = Math.floor(cell / (columns - 1)) * columns + (cell % (columns - 1));
    const [b, c, d] = [a + 1, a + columns, a + columns + 1];
    return [a, b, d, a, d, c];
  });
  return { corners: Float32Array.from(corners.flat()), triangles: Uint32Array.from(cells.flat()) };
}

function partsOf(model: MjModel): Part[] {
  const groups = model.geom_group;
  return Array.from({ length: model.ngeom }, (_, geom): Part | undefined => {
    const shape = SHAPES[model.geom_type[geom]];
    const material: number = model.geom_matid[geom];
    const [colours, row] = material >= 0 ? [model.mat_rgba, material] : [model.geom_rgba, geom];
    const colour = Array.from(colours.slice(4 * row, 4 * row + 4)) as [
      number,
      number,
      number,
      number,
    ];
    if (shape === undefined) return undefined;
    if (groups[geom] > MOST_GROUP || colour[3] === 0) return undefined;
    return {
      geom,
      body: model.geom_bodyid[geom],
      shape,
      size: three(model.geom_size, geom),
      colour,
      ...(shape === 'mesh' && {
        mesh: meshOf(model, model.geom_dataid[geom]) as NonNullable<Part['mesh']>,
      }),
      ...(shape === 'hfield' && {
        mesh: fieldOf(model, model.geom_dataid[geom]) as NonNullable<Part['mesh']>,
      }),
    };
  }).filter((part) => part !== undefined);
}

/**
 * Loads a model.
 *
 * @throws Error with MuJoCo's own words where it is none, or needs files that are not here.
 */
export async function loadRobot(
  { xml, assets }: { readonly xml: string; readonly assets: Assets },
  wasm: () => Promise<ArrayBuffer>,
): Promise<Robot> {
  const module = await load(wasm);
  const files = new module.MjVFS();
  let model: MjModel | undefined;
  let data: MjData | undefined;
  try {
    for (const [name, bytes] of assets) files.addBuffer(name, bytes);
    model = module.MjModel.from_xml_string(xml, files);
    data = new module.MjData(model);
  } catch (error) {
    model?.delete();
    throw new Error(reasonOf(module, error));
  } finally {
    files.delete();
  }
  return robotOf(module, model, data);
}

/** MuJoCo's reason; an exception of C++ comes as a number. */
function reasonOf(module: MainModule, error: unknown): string {
  const { getExceptionMessage } = module as { getExceptionMessage?: (error: unknown) => string[] };
  if (error instanceof Error && error.message) return error.message;
  return getExceptionMessage?.(error)?.join(' ') ?? String(error);
}

function robotOf(module: MainModule, model: MjModel, data: MjData): Robot {
  // typed views into the memory of WebAssembly are taken anew each time: it may have grown
  return {
    nq: model.nq,
    parts: partsOf(model),
    pose: (qpos) => {
      data.qpos.set(qpos);
      module.mj_forward(model, data);
    },
    position: (geom) => three(data.geom_xpos, geom),
    rotation: (geom) => data.geom_xmat.slice(9 * geom, 9 * geom + 9),
    root: () => three(data.xpos, Math.min(1, model.nbody - 1)),
    dispose: () => {
      data.delete();
      model.delete();
    },
  };
}
