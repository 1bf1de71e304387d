/** Permissions of principals: each role has its own, every role may read, and a principal without a role may do nothing. */
import { describe, expect, it } from 'vitest';
import { isRole, mayAct, ROLES, type Role } from '../../domain/principal.js';

describe('a principal', () => {
  const acts = (...roles: Role[]) => ROLES.filter((needed) => mayAct({ name: 'desk', roles }, needed));

  it.each<[Role, Role[]]>([
    ['submit', ['submit', 'read']],
    ['read', ['read']],
    ['operate', ['read', 'operate']],
    ['approve', ['read', 'approve']],
  ])('with the role %s may do this and read, and nothing else', (role, allowed) => {
    expect(acts(role)).toEqual(allowed);
  });

  it('without a role may do nothing, not even read', () => {
    expect(acts()).toEqual([]);
  });

  it('with all roles may do everything', () => {
    expect(acts(...ROLES)).toEqual(['submit', 'read', 'operate', 'approve']);
  });
});

describe('a role', () => {
  it('is one of four names, spelled exactly', () => {
    expect(['submit', 'read', 'operate', 'approve'].filter((text) => !isRole(text))).toEqual([]);
    expect(['', 'Submit', 'admin', ' read', 1, null, undefined, ['read']].filter(isRole)).toEqual([]);
  });
});
