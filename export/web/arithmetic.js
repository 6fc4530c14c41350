/** The binary arithmetic decoder; its 64-bit state in halves of 32 bits, whose products are exact as doubles. */
export class ArithmeticDecoder {
  constructor(payload) {
    this.payload = payload;
    this.next = 0;
    this.lowTop = this.low = 0;
    this.highTop = this.high = 0xffffffff;
    this.windowTop = this.window = 0;
    for (let i = 0; i < 8; i++) this.shiftWindow();
  }

  shiftWindow() {
    this.windowTop = ((this.windowTop << 8) | (this.window >>> 24)) >>> 0;
    this.window = ((this.window << 8) | (this.next < this.payload.length ? this.payload[this.next] : 0)) >>> 0;
    this.next++;
  }

  /** The next bit, which is 1 with probability p / 65536. */
  bit(p) {
    const borrow = this.high < this.low ? 1 : 0;
    const rangeTop = this.highTop - this.lowTop - borrow;
    const range = this.high - this.low + borrow * 4294967296;
    // (high - low) >> 16, times p: its lower half times p stays below 2^48.
    const lower = ((((rangeTop & 0xffff) << 16) | (range >>> 16)) >>> 0) * p;
    const carry = Math.floor(lower / 4294967296);
    let middle = this.low + (lower - carry * 4294967296);
    let middleTop = this.lowTop + (rangeTop >>> 16) * p + carry;
    if (middle >= 4294967296) {
      middle -= 4294967296;
      middleTop += 1;
    }
    const bit = this.windowTop < middleTop || (this.windowTop === middleTop && this.window <= middle) ? 1 : 0;
    if (bit) {
      this.highTop = middleTop;
      this.high = middle;
    } else {
      this.low = middle === 0xffffffff ? 0 : middle + 1;
      this.lowTop = middle === 0xffffffff ? middleTop + 1 : middleTop;
    }
    while ((this.lowTop ^ this.highTop) >>> 24 === 0) {
      this.lowTop = ((this.lowTop << 8) | (this.low >>> 24)) >>> 0;
      this.low = (this.low << 8) >>> 0;
      this.highTop = ((this.highTop << 8) | (this.high >>> 24)) >>> 0;
      this.high = ((this.high << 8) | 255) >>> 0;
      this.shiftWindow();
    }
    return bit;
  }
}
