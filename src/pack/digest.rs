//! SHA-256, in memory and while bytes flow past, in the form that every stock tool prints.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of `bytes`, 64 lower-case hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// True for 64 lower-case hexadecimal digits.
pub(super) fn is_sha256_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Copies all of `from` to `to` and returns the number of bytes and their digest. Memory does not grow with size.
pub(super) fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let mut total = 0;
    let mut block = vec![0; 64 * 1024];
    loop {
        let count = match from.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let read = block.get(..count).unwrap_or_default();
        digest.update(read);
        to.write_all(read)?;
        total += count as u64;
    }
    Ok((total, hex(&digest.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_answer_for_abc_in_memory_and_in_a_stream() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), known);
        let mut copy = Vec::new();
        let (bytes, digest) = copy_hashed(&mut &b"abc"[..], &mut copy).expect("a copy");
        assert_eq!((bytes, digest.as_str(), copy.as_slice()), (3, known, &b"abc"[..]));
        assert!(is_sha256_hex(known) && !is_sha256_hex(&known.to_uppercase()) && !is_sha256_hex("ba78"));
    }
}
