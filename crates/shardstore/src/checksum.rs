use crc_fast::CrcAlgorithm;

/// CRC-32C (Castagnoli; iSCSI, RFC 3720 appendix B.4) of `bytes`.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    u32::try_from(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes))
        .expect("a 32-bit checksum fits 32 bits")
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn the_checksum_is_the_castagnoli_crc_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
