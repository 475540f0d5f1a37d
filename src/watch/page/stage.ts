/** The stage that the robot is drawn on, with three.js. */
import * as three from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { onScheme, styleValue } from './dom.js';
import type { Part, Robot } from './robot.js';

/** A robot on its stage. */
export interface Stage {
  readonly canvas: HTMLCanvasElement;
  /** Puts a robot there instead of the one before. */
  show(robot: Robot): void;
  /** Takes the robot away, before it is disposed of. */
  clear(): void;
  /** Draws the robot's pose as it is now. */
  draw(): void;
  /** Whether the camera goes along. */
  follow: boolean;
  /** Centre of a part as it is drawn. */
  drawn(geom: number): readonly [number, number, number] | undefined;
}

/** Metres of a tile of the floor, and how many lie along it; even, so that the pattern stays as the floor goes along. */
const TILE = 0.5;
const TILES = 80;
/** The camera's angles: beside the robot, a little above and ahead of it. */
const ANGLE = { azimuth: -1.2, elevation: 0.26 };
/** Distance in sizes of the robot, as it stands at first. */
const DISTANCE = 3;

function geometryOf({ shape, size: [x, y, z], mesh }: Part): three.BufferGeometry | undefined {
  switch (shape) {
    case 'sphere':
      return new three.SphereGeometry(x, 32, 20);
    case 'capsule':
      return new three.CapsuleGeometry(x, 2 * y, 12, 28).rotateX(Math.PI / 2);
    case 'cylinder':
      return new three.CylinderGeometry(x, x, 2 * y, 32).rotateX(Math.PI / 2);
    case 'ellipsoid':
      return new three.SphereGeometry(1, 32, 20).scale(x, y, z);
    case 'box':
      return new three.BoxGeometry(2 * x, 2 * y, 2 * z);
    case 'mesh':
    case 'hfield': {
      const geometry = new three.BufferGeometry();
      geometry.setAttribute(
        'position',
        new three.BufferAttribute(mesh?.corners ?? new Float32Array(), 3),
      );
      geometry.setIndex(new three.BufferAttribute(mesh?.triangles ?? new Uint32Array(), 1));
      geometry.computeVertexNormals();
      return geometry;
    }
    default:
      return undefined;
  }
}

function meshOf(part: Part): three.Mesh | undefined {
  const geometry = geometryOf(part);
  if (geometry === undefined) return undefined;
  const [red, green, blue, alpha] = part.colour;
  const material = new three.MeshStandardMaterial({
    color: new three.Color().setRGB(red, green, blue, three.SRGBColorSpace),
    roughness: 0.62,
    metalness: 0.04,
    transparent: alpha < 1,
    opacity: alpha,
  });
  const mesh = new three.Mesh(geometry, material);
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  return mesh;
}

/** The floor: a chequered plane, whose tiles show how fast the robot is. */
function makeTiles(): { readonly mesh: three.Mesh; colour(): void } {
  const canvas = document.createElement('canvas');
  canvas.width = 2;
  canvas.height = 2;
  const texture = new three.CanvasTexture(canvas);
  texture.colorSpace = three.SRGBColorSpace;
  texture.wrapS = three.RepeatWrapping;
  texture.wrapT = three.RepeatWrapping;
  texture.magFilter = three.NearestFilter;
  texture.anisotropy = 8;
  texture.repeat.set(TILES / 2, TILES / 2);
  const plane = new three.PlaneGeometry(TILE * TILES, TILE * TILES);
  const mesh = new three.Mesh(plane, new three.MeshBasicMaterial({ map: texture }));
  return {
    mesh,
    colour: () => {
      const context = canvas.getContext('2d');
      if (context === null) return;
      for (const [index, name] of ['--stage', '--floor', '--floor', '--stage'].entries()) {
        context.fillStyle = styleValue(name);
        context.fillRect(index % 2, Math.floor(index / 2), 1, 1);
      }
      texture.needsUpdate = true;
    },
  };
}

/** What keys do to the camera: radians around the robot, and a factor of its distance. */
const KEYS: Readonly<Record<string, { around?: number; nearer?: number }>> = {
  ArrowLeft: { around: -0.1 },
  ArrowRight: { around: 0.1 },
  '+': { nearer: 0.9 },
  '-': { nearer: 1.1 },
};

function turnCamera(
  camera: three.Camera,
  target: three.Vector3,
  { around = 0, nearer = 1 }: { around?: number; nearer?: number },
): void {
  const offset = camera.position.clone().sub(target);
  offset.applyAxisAngle(camera.up, around).multiplyScalar(nearer);
  camera.position.copy(target).add(offset);
}

/** The box around the robot's parts, roughly: its middle, and half of its diagonal. */
function extentOf(robot: Robot): { middle: three.Vector3; size: number } {
  const box = new three.Box3();
  for (const { geom, body, shape, size } of robot.parts) {
    if (body === 0 || shape === 'plane') continue;
    const half = shape === 'capsule' ? size[0] + size[1] : Math.max(...size);
    const at = new three.Vector3(...robot.position(geom));
    box.union(new three.Box3().setFromCenterAndSize(at, new three.Vector3().setScalar(2 * half)));
  }
  if (box.isEmpty()) return { middle: new three.Vector3(...robot.root()), size: 1 };
  const size = box.getSize(new three.Vector3()).length() / 2;
  return { middle: box.getCenter(new three.Vector3()), size: Math.max(0.3, size) };
}

/**
 * Makes a stage.
 *
 * @throws Error where the browser has no WebGL.
 */
export function makeStage(label: string): Stage {
  const renderer = new three.WebGLRenderer({ antialias: true });
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = three.PCFShadowMap;
  const scene = new three.Scene();
  const camera = new three.PerspectiveCamera(38, 16 / 9, 0.02, 400);
  camera.up.set(0, 0, 1);
  const canvas = renderer.domElement;
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  const controls = new OrbitControls(camera, canvas);
  // the wheel scrolls the page until the stage was chosen
  controls.enableZoom = false;
  canvas.addEventListener('focus', () => {
    controls.enableZoom = true;
  });
  canvas.addEventListener('blur', () => {
    controls.enableZoom = false;
  });

  const sky = new three.HemisphereLight(0xffffff, 0x8a8f98, 1.7);
  const sun = new three.DirectionalLight(0xffffff, 2.1);
  sun.castShadow = true;
  sun.shadow.mapSize.set(1024, 1024);
  const tiles = makeTiles();
  const floor = new three.Mesh(
    new three.PlaneGeometry(TILE * TILES, TILE * TILES),
    new three.ShadowMaterial({ opacity: 0.22 }),
  );
  floor.receiveShadow = true;
  scene.add(sky, sun, sun.target, tiles.mesh, floor);

  const colour = () => {
    scene.background = new three.Color(styleValue('--stage'));
    scene.fog?.color.set(styleValue('--stage'));
    tiles.colour();
  };
  colour();

  let robot: Robot | undefined;
  let meshes = new Map<number, three.Mesh>();
  let size = 1;
  const centre = new three.Vector3();
  /** From the robot's first body to its middle, along the floor. */
  const ahead = new three.Vector2();
  const place = new three.Matrix4();

  /** Moves the camera with the robot, and floor and light under and over it. */
  const goAlong = () => {
    const root = robot?.root() ?? [0, 0];
    const [x, y] = [root[0] + ahead.x, root[1] + ahead.y];
    const to = new three.Vector3(x, y, centre.z);
    if (stage.follow) {
      camera.position.add(to.clone().sub(controls.target));
      controls.target.copy(to);
    }
    sun.target.position.copy(to);
    sun.position.set(x - 1.4 * size, y - 2.2 * size, centre.z + 4.5 * size);
    // by whole pairs of tiles, so that nothing is seen of it
    const snap = (value: number) => Math.round(value / (2 * TILE)) * 2 * TILE;
    tiles.mesh.position.set(snap(x), snap(y), tiles.mesh.position.z);
    floor.position.set(snap(x), snap(y), floor.position.z);
  };

  const draw = () => {
    if (robot !== undefined) {
      for (const [geom, mesh] of meshes) {
        const m = robot.rotation(geom) as number[];
        const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0, g = 0, h = 0, i = 1] = m;
        place.set(a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0, 1);
        mesh.quaternion.setFromRotationMatrix(place);
        mesh.position.set(...(robot.position(geom) as [number, number, number]));
      }
      goAlong();
    }
    camera.lookAt(controls.target);
    renderer.render(scene, camera);
  };

  const frameRobot = (shown: Robot) => {
    const extent = extentOf(shown);
    size = extent.size;
    const [rootX, rootY] = shown.root();
    const ground = shown.parts.find(({ shape }) => shape === 'plane' || shape === 'hfield');
    const lowest = extent.middle.z - size;
    const height = ground === undefined ? lowest : shown.position(ground.geom)[2];
    floor.position.z = height;
    tiles.mesh.position.z = height - 0.002;
    centre.copy(extent.middle);
    ahead.set(centre.x - rootX, centre.y - rootY);
    controls.target.copy(centre);
    const distance = DISTANCE * size;
    const { azimuth, elevation } = ANGLE;
    camera.position.set(
      centre.x + distance * Math.cos(elevation) * Math.cos(azimuth),
      centre.y + distance * Math.cos(elevation) * Math.sin(azimuth),
      centre.z + distance * Math.sin(elevation),
    );
    const reach = 1.6 * size;
    Object.assign(sun.shadow.camera, {
      left: -reach,
      right: reach,
      top: reach,
      bottom: -reach,
      far: 12 * size,
    });
    sun.shadow.camera.updateProjectionMatrix();
    scene.fog = new three.Fog(styleValue('--stage'), 1.3 * distance, 4.5 * distance);
  };

  const clear = () => {
    for (const mesh of meshes.values()) {
      mesh.removeFromParent();
      mesh.geometry.dispose();
    }
    robot = undefined;
    meshes = new Map();
  };

  const stage: Stage = {
    canvas,
    follow: true,
    clear,
    show: (shown) => {
      clear();
      robot = shown;
      for (const part of shown.parts) {
        const mesh = meshOf(part);
        if (mesh === undefined) continue;
        meshes.set(part.geom, mesh);
        scene.add(mesh);
      }
      frameRobot(shown);
    },
    draw,
    drawn: (geom) => meshes.get(geom)?.position.toArray(),
  };

  controls.addEventListener('change', draw);
  canvas.addEventListener('keydown', (event) => {
    const turn = KEYS[event.key];
    if (turn === undefined) return;
    event.preventDefault();
    turnCamera(camera, controls.target, turn);
    draw();
  });
  onScheme(() => {
    colour();
    draw();
  });
  new ResizeObserver(([entry]) => {
    const { width = 0, height = 0 } = entry?.contentRect ?? {};
    if (width < 1 || height < 1) return;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    draw();
  }).observe(canvas);
  return stage;
}
