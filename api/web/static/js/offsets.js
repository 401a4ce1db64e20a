/** The service counts Unicode code points, JavaScript counts UTF-16 units: this maps one to the other. */

export class CodePoints {
  /** @param {string} text well-formed: no lone surrogates */
  constructor(text) {
    /** Positions, in code points, of the characters that take two units. */
    this.wide = [];
    if (!/[\ud800-\udbff]/.test(text)) return;
    for (let unit = 0, point = 0; unit < text.length; unit += 1, point += 1) {
      if (text.codePointAt(unit) > 0xffff) {
        this.wide.push(point);
        unit += 1;
      }
    }
  }

  /** The unit where code point `point` begins. */
  toUnits(point) {
    let low = 0;
    let high = this.wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.wide[middle] < point) low = middle + 1;
      else high = middle;
    }
    return point + low;
  }

  /** The code point that begins at unit `unit`. */
  toPoints(unit) {
    let low = 0;
    let high = this.wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.wide[middle] + middle < unit) low = middle + 1;
      else high = middle;
    }
    return unit - low;
  }
}
