// What TypeDoc cannot know by itself: config keys are described in the schema, and every property must be described.
import { Application, Comment, Converter, ReflectionKind } from 'typedoc';
import { describeKey, LEAF_PATHS, SECTION_PATHS } from '../../dist/config/schema.js';

/** Where the types of a config are made of its schema. */
const CONFIG = /\/src\/(config|environments\/task-options)/;
/** Tables whose entries are described where they are defined. */
const TABLES = /^reference\.EQUATIONS|^theory\.TRAP/;

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const property of project.getReflectionsByKind(ReflectionKind.Property)) {
      const text = described(property);
      if (text) property.comment ??= new Comment([{ kind: 'text', text }]);
    }
  });
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const property of project.getReflectionsByKind(ReflectionKind.Property)) {
      if (needsComment(property) && !hasComment(property))
        app.logger.warn(`${property.getFullName()}: a property without a comment`);
    }
  });
}

/** What the schema says of a key of a config; undefined for anything else. */
function described(property) {
  if (TABLES.test(property.getFullName())) return 'Described where it is defined.';
  const [source] = property.sources ?? [];
  if (!CONFIG.test(source?.fullFileName ?? '')) return undefined;
  const names = property
    .getFullName()
    .split('.')
    .filter((name) => name !== '__type');
  // a type of the schema may be of one section, such as `env`, and task options have none
  const paths = names.map((_, index) => names.slice(index).join('.'));
  const path = [...paths, `env.${property.name}`].find(
    (each) => LEAF_PATHS.has(each) || SECTION_PATHS.has(each),
  );
  if (path === undefined) return undefined;
  return LEAF_PATHS.has(path) ? describeKey(path) : `Keys of \`${path}\`.`;
}

/** Whether a property is one that a comment must say something of. */
function needsComment(property) {
  const isOurs = property.sources?.some(
    ({ fullFileName }) => !fullFileName.includes('node_modules'),
  );
  // the members of an inline type, and of the variants of a union, are described with the whole
  const isInline = property.parent.kind === ReflectionKind.TypeLiteral;
  const isOfProperty = property.parent.parent?.kind === ReflectionKind.Property;
  // a literal, such as `event: 'start'`, says itself what it is
  return isOurs && (!isInline || isOfProperty) && property.type?.type !== 'literal';
}

/** Whether a property, or the function that it holds, has a comment. */
function hasComment(property) {
  const { type } = property;
  const signatures = (type?.type === 'reflection' && type.declaration.signatures) || [];
  return property.hasComment() || signatures.some((signature) => signature.hasComment());
}
