/** Check digit of a GS1 key (GS1 General Specifications section 7.9): weights 3 and 1 from the right. */
export function checkDigit(digits: string): string {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const weight = (digits.length - index) % 2 === 1 ? 3 : 1;
    sum += Number(digits[index]) * weight;
  }
  return String((10 - (sum % 10)) % 10);
}

/** `digits` with their check digit behind. */
export function withCheckDigit(digits: string): string {
  return digits + checkDigit(digits);
}
