import { anchorFaults } from './ledger-judgement.ts';

const anchor = (first: number, last: number, term = 1) => ({ first, last, term });

test('anchors that follow each other, term after term, are in order', () => {
  expect(anchorFaults([anchor(1, 4), anchor(5, 5), anchor(6, 9, 2)])).toEqual({ gaps: [], double: [] });
  expect(anchorFaults([])).toEqual({ gaps: [], double: [] });
});

test('a block under two anchors is named, whichever of them has more', () => {
  expect(anchorFaults([anchor(1, 4), anchor(4, 6), anchor(7, 7)])).toEqual({
    gaps: [],
    double: ['blocks 4 to 6 are anchored twice'],
  });
  expect(anchorFaults([anchor(1, 9), anchor(2, 3), anchor(10, 10)])).toEqual({
    gaps: [],
    double: ['blocks 2 to 3 are anchored twice'],
  });
});

test('blocks under no anchor are named, also the first ones', () => {
  expect(anchorFaults([anchor(2, 4), anchor(7, 8)]).gaps).toEqual([
    'blocks 1 to 1 are not anchored',
    'blocks 5 to 6 are not anchored',
  ]);
});

test('an anchor of a term that was over is named', () => {
  expect(anchorFaults([anchor(1, 4, 3), anchor(5, 6, 2)]).gaps).toEqual([
    'the anchor of block 5 is of term 2, after 3',
  ]);
});
