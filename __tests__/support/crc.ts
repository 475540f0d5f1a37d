/** CRC with 32 bits, from its definition: what the checksums of files are compared with. */

/**
 * The checksum of a polynomial, bits reversed; start and end value all ones.
 *
 * @param polynomial Such as 0x82f63b78, Castagnoli's, of CRC-32C.
 */
export function crcOf(polynomial: number): (bytes: Uint8Array) => number {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc >>> 0;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
    return (crc ^ 0xffffffff) >>> 0;
  };
}
