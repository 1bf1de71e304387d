/** Checks that the runbook explains every case that the program can open, with the program's own next step. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../client/operator-actions.js';
import { CASE_REASONS } from '../../domain/refund/reasons.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/operating/runbook.md', import.meta.url)), 'utf8');

describe('the runbook', () => {
  it.each(Object.entries(CASE_REASONS))(
    'explains %s and its next step as the program does',
    (reason, { nextStep }) => {
      const [, section = ''] = page.split(`\n#### \`${reason}\`\n`);
      expect(section.split('\n#')[0]).toContain(`\n- Next step: ${nextStep}\n`);
    },
  );

  it.each(ACTIONS)('explains %s', (action) => {
    expect(page).toContain(`\`${action}`);
  });
});
