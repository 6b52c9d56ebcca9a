import { joinViews, type MemberView } from '../../src/status/ledgers.ts';

const owner = { mspId: 'NorthlineMSP' };
const planned = { members: ['center', 'standby', 'depot', 'archive'], eligible: ['center', 'standby'] };
const view = (changes: Partial<MemberView>): MemberView => ({
  member: 'center',
  center: 'center',
  term: 2,
  height: 10,
  confirmed: 9,
  anchored: 6,
  members: planned.members.map((id) => ({ id, height: null })),
  ...changes,
});

describe('a private ledger in the status', () => {
  test('is as the center has it, each height as its member says', () => {
    const views = [view({ member: 'depot', height: 8, confirmed: 8, anchored: 7 }), view({})];
    expect(joinViews(owner, planned, views)).toEqual({
      mspId: 'NorthlineMSP',
      center: 'center',
      term: 2,
      height: 10,
      confirmed: 9,
      anchored: 7,
      members: [
        { id: 'center', role: 'center', height: 10, lag: 0 },
        { id: 'standby', role: 'standby', height: null, lag: null },
        { id: 'depot', role: 'department', height: 8, lag: 2 },
        { id: 'archive', role: 'department', height: null, lag: null },
      ],
    });
  });

  test('takes from the center the height of a member that says nothing', () => {
    const said = view({ members: planned.members.map((id) => ({ id, height: id === 'archive' ? 4 : null })) });
    expect(joinViews(owner, planned, [said]).members.at(-1)).toEqual({
      id: 'archive',
      role: 'department',
      height: 4,
      lag: 6,
    });
  });

  test('believes the higher term: a center that was away does not know that it is out of office', () => {
    const views = [view({ height: 30 }), view({ member: 'standby', center: 'standby', term: 3, height: 12 })];
    expect(joinViews(owner, planned, views)).toMatchObject({
      center: 'standby',
      term: 3,
      height: 12,
      members: [{ id: 'center', role: 'standby' }, { id: 'standby', role: 'center' }, {}, {}],
    });
  });

  test('has nobody in office while the members say so', () => {
    expect(joinViews(owner, planned, [view({ center: null })])).toMatchObject({ center: null, term: 2 });
  });

  test('has members that came later', () => {
    const { members } = joinViews(owner, planned, [view({ members: [{ id: 'new', height: 1 }] })]);
    expect(members).toEqual([{ id: 'new', role: 'department', height: 1, lag: 9 }]);
  });

  test('says of what nobody answers for only who is meant to be a member', () => {
    expect(joinViews(owner, planned, [])).toEqual({
      mspId: 'NorthlineMSP',
      center: null,
      term: null,
      height: null,
      confirmed: null,
      anchored: null,
      members: planned.members.map((id) => ({
        id,
        role: planned.eligible.includes(id) ? 'standby' : 'department',
        height: null,
        lag: null,
      })),
    });
  });
});
