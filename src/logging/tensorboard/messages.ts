/**
 * The messages of a TensorBoard event file, as protobufjs's own description of them: of each message the fields that are
 * written, with the numbers of the official definitions.
 *
 * Sources: tensorflow/tensorboard 2.21 (Apache-2.0), tensorboard/compat/proto/{event,summary,tensor,tensor_shape,types}.proto
 * and tensorboard/plugins/hparams/plugin_data.proto; protocolbuffers/protobuf, google/protobuf/struct.proto.
 */
import protobuf from 'protobufjs/light.js';

const root = protobuf.Root.fromJSON({
  nested: {
    // event.proto
    Event: {
      oneofs: { what: { oneof: ['fileVersion', 'summary'] } },
      fields: {
        wallTime: { id: 1, type: 'double' },
        step: { id: 2, type: 'int64' },
        fileVersion: { id: 3, type: 'string' },
        summary: { id: 5, type: 'Summary' },
      },
    },
    // summary.proto
    Summary: { fields: { value: { id: 1, rule: 'repeated', type: 'SummaryValue' } } },
    SummaryValue: {
      oneofs: { value: { oneof: ['simpleValue', 'tensor'] } },
      fields: {
        tag: { id: 1, type: 'string' },
        simpleValue: { id: 2, type: 'float' },
        tensor: { id: 8, type: 'TensorProto' },
        metadata: { id: 9, type: 'SummaryMetadata' },
      },
    },
    SummaryMetadata: { fields: { pluginData: { id: 1, type: 'PluginData' } } },
    PluginData: {
      fields: { pluginName: { id: 1, type: 'string' }, content: { id: 2, type: 'bytes' } },
    },
    // tensor.proto, tensor_shape.proto; DataType of types.proto
    TensorProto: {
      fields: {
        dtype: { id: 1, type: 'int32' },
        tensorShape: { id: 2, type: 'TensorShapeProto' },
      },
    },
    TensorShapeProto: { fields: { dim: { id: 2, rule: 'repeated', type: 'Dim' } } },
    Dim: { fields: { size: { id: 1, type: 'int64' } } },
    // plugin_data.proto
    HParamsPluginData: { fields: { sessionStartInfo: { id: 3, type: 'SessionStartInfo' } } },
    SessionStartInfo: {
      fields: {
        hparams: { id: 1, keyType: 'string', type: 'Value' } as protobuf.IMapField,
        startTimeSecs: { id: 5, type: 'double' },
      },
    },
    // struct.proto
    Value: {
      oneofs: { kind: { oneof: ['numberValue', 'stringValue', 'boolValue'] } },
      fields: {
        numberValue: { id: 2, type: 'double' },
        stringValue: { id: 3, type: 'string' },
        boolValue: { id: 4, type: 'bool' },
      },
    },
  },
});

/** One hyper-parameter: TensorBoard knows numbers, text and truth values. */
export type HyperParameter = number | string | boolean;

/** A value of a summary: a scalar, or what a plugin keeps under a tag. */
export type SummaryValue =
  | { tag: string; simpleValue: number }
  | { tag: string; metadata: object; tensor: object };

/** What an event is about; `wallTime` in seconds since 1970, `step` in environment steps. */
export type EventContent = { wallTime: number } & (
  | { fileVersion: string }
  | { step: number; summary: { value: readonly SummaryValue[] } }
);

const event = root.lookupType('Event');
const pluginData = root.lookupType('HParamsPluginData');

/** An `Event` in the wire format. */
export const encodeEvent = (content: EventContent): Uint8Array =>
  event.encode(event.create(content)).finish();

const taggedValue = (parameter: HyperParameter) => {
  if (typeof parameter === 'number') return { numberValue: parameter };
  return typeof parameter === 'string' ? { stringValue: parameter } : { boolValue: parameter };
};

/** DT_FLOAT of types.proto, the type of the tensor that stands for none. */
const FLOAT = 1;

/**
 * What TensorBoard's HParams page reads of a run: its hyper-parameters, once, as
 * tensorboard/plugins/hparams/summary_v2.py `hparams_pb` has it.
 *
 * @param startTime Seconds since 1970.
 */
export function hyperParameterSummary(
  parameters: Readonly<Record<string, HyperParameter>>,
  startTime: number,
): SummaryValue {
  const hparams = Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, taggedValue(parameter)]),
  );
  const info = { sessionStartInfo: { hparams, startTimeSecs: startTime } };
  const content = pluginData.encode(pluginData.create(info)).finish();
  return {
    tag: '_hparams_/session_start_info',
    metadata: { pluginData: { pluginName: 'hparams', content } },
    // metadata.py NULL_TENSOR: no floats
    tensor: { dtype: FLOAT, tensorShape: { dim: [{ size: 0 }] } },
  };
}
