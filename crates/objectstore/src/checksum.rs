use crc_fast::CrcAlgorithm;
use data_encoding::BASE64;

/// Payload bytes under one checksum.
pub(crate) const CHECK_BYTES: usize = 64 << 10;

/// CRC-32C (Castagnoli; iSCSI, RFC 3720 appendix B.4) of `bytes`.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    u32::try_from(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes))
        .expect("a 32-bit checksum fits 32 bits")
}

/// CRC-32C of each 64 KiB of `payload`.
pub(crate) fn checksums_of(payload: &[u8]) -> Vec<u32> {
    payload.chunks(CHECK_BYTES).map(crc32c).collect()
}

/// The checksum as `x-amz-checksum-crc32c` has it: big-endian, base64.
pub(crate) fn header_value(bytes: &[u8]) -> String {
    BASE64.encode(&crc32c(bytes).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_castagnoli_crc_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(header_value(b"123456789"), "4waSgw==");
    }
}
