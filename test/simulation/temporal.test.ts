/** Checks that the fake of the SDK has every name of it, and that a name without a fake throws when it is used. */
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import * as fake from './temporal/workflow.js';
import * as notFaked from './temporal/not-faked.js';

const sdk: unknown = createRequire(import.meta.url)('@temporalio/workflow');
const names = typeof sdk === 'object' && sdk !== null ? Object.keys(sdk) : [];

describe('the fake of @temporalio/workflow', () => {
  it('has every name that the SDK exports, and no other', () => {
    expect(names.length).toBeGreaterThan(60);
    expect(Object.keys(fake).sort()).toEqual(names.sort());
  });

  it.each(Object.entries(notFaked))('throws when %s is touched', (name, value) => {
    const why = `${name} of @temporalio/workflow has no fake in the simulation`;
    expect(() => {
      Object.getOwnPropertyDescriptor(callable(value), 'anything');
      callable(value).toString();
    }).toThrow(why);
    expect(() => callable(value)()).toThrow(why);
  });

  it.each([
    'sleep',
    'condition',
    'upsertSearchAttributes',
    'workflowInfo',
    'currentUpdateInfo',
    'allHandlersFinished',
  ] as const)('%s throws outside of a workflow, as in the SDK', async (name) => {
    await expect(async () => callable(fake[name])(() => true, 1)).rejects.toThrow(
      'may only be used from a workflow',
    );
  });
});

function callable(value: unknown): (...args: unknown[]) => unknown {
  if (!isFunction(value)) throw new Error('not a function');
  return value;
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}
