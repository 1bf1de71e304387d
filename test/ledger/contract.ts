/** Contract of every implementation of the ledger, written against the interface. After each test the invariants are checked. */
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { describeAbsence } from './contract/absence.js';
import { describeAnswers } from './contract/command-results.js';
import { describeAcceptance } from './contract/acceptance.js';
import { describeCards } from './contract/cards.js';
import { describeCredits } from './contract/credits.js';
import { describeDeclared } from './contract/declared.js';
import { describeDirectCredits } from './contract/standalone-credits.js';
import { describeEvidence } from './contract/evidence.js';
import { describeObservations } from './contract/observations.js';
import { describeOutside } from './contract/settled-outside.js';
import { describeParts } from './contract/partial-refunds.js';
import { describeOperators } from './contract/approvals.js';
import { describeRepairs } from './contract/repairs.js';
import { describeReplays } from './contract/replays.js';
import { describeUnread } from './contract/unread.js';
import { describeSeenIds } from './contract/seen-ids.js';
import { describeTurns } from './contract/returns.js';
import type { LedgerUnderTest } from './fixtures.js';

/** `make` returns the ledger of a test. It may be the same one each time: tests share no payment. */
export function describeLedger(name: string, make: () => Promise<LedgerUnderTest>): void {
  describe(name, () => {
    let made: LedgerUnderTest | undefined;
    const underTest = (): LedgerUnderTest => {
      if (made === undefined) throw new Error('no ledger before the test begins');
      return made;
    };
    beforeEach(async () => {
      made = await make();
    });
    afterEach(async () => {
      expect(await underTest().violations()).toEqual([]);
    });

    describeAcceptance(underTest);
    describeEvidence(underTest);
    describeAbsence(underTest);
    describeSeenIds(underTest);
    describeTurns(underTest);
    describeParts(underTest);
    describeDeclared(underTest);
    describeCredits(underTest);
    describeDirectCredits(underTest);
    describeCards(underTest);
    describeOperators(underTest);
    describeRepairs(underTest);
    describeAnswers(underTest);
    describeOutside(underTest);
    describeUnread(underTest);
    describeReplays(underTest);
    describeObservations(underTest);
  });
}
