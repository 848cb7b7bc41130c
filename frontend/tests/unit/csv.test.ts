import { expect, test } from 'vitest'
import { csvText } from '@/csv'

test('cells are quoted if necessary', () => {
  expect(
    csvText([
      ['line', 'value'],
      [2, 'a "b", c'],
      [3, 'two\nlines'],
      [4, ''],
    ]),
  ).toBe('\uFEFFline,value\r\n2,"a ""b"", c"\r\n3,"two\nlines"\r\n4,\r\n')
})

test('texts that start like a formula get an apostrophe, and numbers do not', () => {
  const formulas = ['=1+1', '+1', '-1', '@x', '\tx', "'=1"]
  expect(csvText([formulas])).toBe(`\uFEFF'=1+1,'+1,'-1,'@x,'\tx,''=1\r\n`)
  expect(csvText([[-1, "it's", 'a=1']])).toBe("\uFEFF-1,it's,a=1\r\n")
})
