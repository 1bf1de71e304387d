/** Temporal's data converter for every process of this product, from one settings object. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec } from './payload-codec.js';
import type { CodecSettings } from './settings.js';

/** Path of the failure converter. The workflow bundle always contains it, so one bundle serves every mode. */
export const FAILURE_CONVERTER = fileURLToPath(new URL('failure-converter.cjs', import.meta.url));

/**
 * Returns the data converter of a worker or a client in `namespace`. A worker that runs its own workflows with `payBack` needs the same, and
 * `failureConverterPath: FAILURE_CONVERTER` where it bundles its workflows.
 */
export function dataConverter(settings: CodecSettings, namespace: string): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(settings, namespace)],
    // Without encryption, failures stay readable in Temporal's UI.
    ...(settings.mode === 'off' ? {} : { failureConverterPath: FAILURE_CONVERTER }),
  };
}

/**
 * Returns the data converter of the replay tool. It reads payloads of every namespace and workflow: a file tells neither. They are still
 * authenticated, by what their metadata states.
 */
export function replayDataConverter(settings: CodecSettings): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(settings, undefined)],
    failureConverterPath: FAILURE_CONVERTER,
  };
}
