/** Sealing: a card opens with its key, in its own row and field, and nowhere else. */
import { inspect } from 'node:util';
import { v7 as uuid } from 'uuid';
import { describe, expect, it } from 'vitest';
import { CardUnreadable, type SealedCard } from '../../domain/card/sealed-card.js';
import { initialsOf, type NewCard } from '../../ledger/cards/seal.js';
import { newKey } from '../support/card-keys.js';
import { CARD, CVV, vaultOf } from './fixtures.js';

const vault = vaultOf();
const sealedCard = ({ cardRef, formatVersion, card, cvv }: NewCard): SealedCard => ({
  cardRef,
  formatVersion,
  card,
  cvv,
});
const seal = async (cardRef = uuid()) => vault.sealer.seal(cardRef, { ...CARD, cvv: CVV });
const open = (sealed: SealedCard) => vault.opener.open(sealed);

describe('a sealed card', () => {
  it('opens with every field, and only once it is asked for', async () => {
    const opened = await open(sealedCard(await seal()));
    expect(inspect(opened)).not.toMatch(/4200|739/);
    expect(opened.reveal()).toEqual({ ...CARD, cvv: CVV });
    opened.destroy();
    expect(() => opened.reveal()).toThrow('destroyed');
  });

  it('shows brand, last four digits and initials, and nothing else', async () => {
    const sealed = await seal();
    expect(sealed).toMatchObject({ brand: 'VISA', last4: '0042', initials: 'JD' });
    const all = Buffer.concat([
      Buffer.from(JSON.stringify({ ...sealed, card: null, cvv: null })),
      ...[sealed.card, sealed.cvv].flatMap((field) => (field === null ? [] : [field.sealed, field.wrapped])),
    ]).toString('latin1');
    expect(all).not.toMatch(/420000|Jane/);
  });

  it('has keys of its own for card and CVV, new ones each time', async () => {
    const cardRef = uuid();
    const fields = [await seal(cardRef), await seal(cardRef)].flatMap(({ card, cvv }) => [card, cvv]);
    expect(new Set(fields.map((field) => Buffer.from(field?.wrapped ?? []).toString('hex'))).size).toBe(4);
    expect(new Set(fields.map((field) => Buffer.from(field?.sealed ?? []).toString('hex'))).size).toBe(4);
  });

  it('has the fingerprint of its number, whatever else differs', async () => {
    const [one, same, other] = [
      await seal(),
      await vault.sealer.seal(uuid(), { ...CARD, holder: 'John Roe' }),
      await vault.sealer.seal(uuid(), { ...CARD, number: '4111111111111111' }),
    ];
    expect(same.fingerprint).toBe(one.fingerprint);
    expect(other.fingerprint).not.toBe(one.fingerprint);
  });
});

describe('a ciphertext', () => {
  it.each(['of another card', 'of another version', 'of another field', 'that was changed', 'that is empty'])(
    '%s does not open',
    async (which) => {
      const [one, other] = [sealedCard(await seal()), sealedCard(await seal())];
      const { cvv } = one;
      if (cvv === null) throw new Error('no CVV');
      const changed = Buffer.from(one.card.sealed);
      changed[20] = (changed[20] ?? 0) ^ 1;
      const wrong: Readonly<Record<string, SealedCard>> = {
        'of another card': { ...one, card: other.card },
        'of another version': { ...one, formatVersion: 2 },
        'of another field': { ...one, card: cvv, cvv: null },
        'that was changed': { ...one, card: { ...one.card, sealed: changed } },
        'that is empty': { ...one, card: { ...one.card, sealed: Buffer.alloc(0) } },
      };
      await expect(open(one)).resolves.toBeDefined();
      await expect(open(wrong[which] ?? one)).rejects.toThrow(CardUnreadable);
    },
  );

  it('does not open with the data key of another card', async () => {
    const [one, other] = [sealedCard(await seal()), sealedCard(await seal())];
    await expect(open({ ...one, card: { ...other.card, sealed: one.card.sealed } })).rejects.toThrow(
      CardUnreadable,
    );
  });
});

describe('key-encryption keys', () => {
  it('that were replaced still open, and the first one seals', async () => {
    const [old, fresh] = [newKey('old'), newKey('new')];
    const before = sealedCard(await vaultOf(old).sealer.seal(uuid(), CARD));
    const both = vaultOf(fresh, old);
    expect((await both.opener.open(before)).reveal()).toEqual(CARD);
    expect((await both.sealer.seal(uuid(), CARD)).card.kekId).toBe('new');
  });

  it('that are lost or replaced under the same id are named', async () => {
    const sealed = sealedCard(await seal());
    await expect(vaultOf(newKey('k2')).opener.open(sealed)).rejects.toThrow('k1 is not configured');
    const other = vaultOf(newKey('k1'));
    await expect(other.opener.open(sealed)).rejects.toThrow(CardUnreadable);
    await expect(other.opener.open(sealed)).rejects.toThrow(/key k1: the key is another one/);
  });
});

describe('initials', () => {
  it.each([
    ['Jane Mary Doe', 'JD'],
    ['DOE/JANE', 'D'],
    ['Ångström, Éva-Lou', 'ÅL'],
    ['  李 明 ', '李明'],
    ['12 34', ''],
  ])('of %j are %j', (holder, initials) => {
    expect(initialsOf(holder)).toBe(initials);
  });
});
