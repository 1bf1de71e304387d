/** The operators' page knows every case that the program can open, so that nobody is asked at night about one that is nowhere explained. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../client/actions.js';
import { CASE_REASONS } from '../../domain/payment/finding.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/operating/runbook.md', import.meta.url)), 'utf8');

describe('the operators’ page', () => {
  it.each(Object.entries(CASE_REASONS))(
    'explains %s and its next step as the program does',
    (reason, { nextStep }) => {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${reason}\``));
      expect(row).toContain(nextStep);
    },
  );

  it.each(ACTIONS)('says what %s does', (action) => {
    expect(page).toContain(`\`${action}`);
  });
});
