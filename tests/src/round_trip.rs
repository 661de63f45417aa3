//! What is put comes back byte for byte, whatever the cluster is made of: cases for any two
//! clients of one cluster, of which one puts and the other gets.

use std::fs;

use crate::{Cli, Content, Scratch, Seed, assert_same_bytes};

const FRAME: u64 = 64 << 10;
const CHUNK: u64 = 8 << 20;

/// Two clients of one cluster, which may be the same, and a folder for files.
#[derive(Debug)]
pub struct RoundTrip<'a> {
    /// Files to put, and copies.
    pub scratch: &'a Scratch,
    /// Who puts.
    pub writer: Cli,
    /// Who gets.
    pub reader: Cli,
}

impl RoundTrip<'_> {
    /// Sizes around the borders of frames and chunks, and nothing at all.
    ///
    /// # Panics
    /// When not so.
    pub fn files_of_every_critical_size_come_back_byte_for_byte(&self, seed: Seed) {
        let listed_before = self.reader.list_ids().len();
        let sizes = [
            0,
            1,
            FRAME - 1,
            FRAME,
            FRAME + 1,
            CHUNK - 1,
            CHUNK,
            CHUNK + 1,
            3 * CHUNK,
            3 * CHUNK + 5 * FRAME + 7,
        ];
        for size in sizes {
            let content = Content { seed: seed.0 ^ size, size };
            let file = self.scratch.source_file(&format!("{size}.bin"), content);
            let receipt = self.writer.put(&file);
            assert_eq!(receipt.empty, size == 0, "empty evidence is marked, {size} bytes");
            let copy = self.scratch.path().join(format!("{size}.copy"));
            self.reader.get(&receipt.evidence_id, &copy);
            assert_same_bytes(&file.path, &copy);
        }
        let listed = self.reader.list_ids().len() - listed_before;
        assert_eq!(listed, sizes.len(), "the catalogue lists each put once");
    }

    /// Ranges at the borders of frames and chunks, random ones, and one without an end.
    ///
    /// # Panics
    /// When not so.
    pub fn any_byte_range_equals_the_same_range_of_the_file(&self, seed: Seed) {
        let size = 2 * CHUNK + 3 * FRAME + 11;
        let content = Content { seed: seed.0, size };
        let file = self.scratch.source_file("ranges.bin", content);
        let id = self.writer.put(&file).evidence_id;

        let edges = [0, 1, FRAME - 1, FRAME, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, size - 1];
        let mut ranges: Vec<(u64, u64)> = edges.iter().map(|&at| (at, at)).collect();
        ranges.extend([
            (0, size - 1),
            (CHUNK - 1, CHUNK),
            (FRAME, 2 * FRAME - 1),
            (CHUNK, size - 1),
        ]);
        let mut random = seed.random();
        for _ in 0..24 {
            let first = random.below(size);
            ranges.push((first, first + random.below((size - first).min(CHUNK + FRAME))));
        }
        for (first, last) in ranges {
            let bytes = self.reader.get_range(&id, first, last);
            assert!(bytes == content.bytes(first..last + 1), "bytes {first}-{last} differ");
        }

        let from = random.below(size);
        let open_end = self.reader.run(["get", &id, "--bytes", &format!("{from}-")]);
        open_end.expect_exit(0);
        assert!(open_end.stdout == content.bytes(from..size), "bytes {from}- differ");
    }

    /// `-o` with `--bytes`.
    ///
    /// # Panics
    /// When not so.
    pub fn a_range_goes_into_an_output_file_too(&self) {
        let content = Content { seed: 5, size: 3 * FRAME };
        let file = self.scratch.source_file("range-to-file.bin", content);
        let id = self.writer.put(&file).evidence_id;
        let copy = self.scratch.path().join("part.bin");
        let output = copy.to_str().expect("UTF-8");
        self.reader.run(["get", &id, "-o", output, "--bytes", "100-150000"]).expect_exit(0);
        assert!(fs::read(&copy).expect("written") == content.bytes(100..150_001));
    }

    /// `get` without `-o`.
    ///
    /// # Panics
    /// When not so.
    pub fn without_an_output_file_the_bytes_go_to_standard_output(&self) {
        let content = Content { seed: 6, size: CHUNK + 1 };
        let file = self.scratch.source_file("standard-output.bin", content);
        let id = self.writer.put(&file).evidence_id;
        let run = self.reader.run(["get", &id]);
        run.expect_exit(0);
        assert!(run.stdout == content.bytes(0..content.size), "the bytes differ");
    }

    /// One `put` of four files.
    ///
    /// # Panics
    /// When not so.
    pub fn several_files_in_one_put_give_one_receipt_each(&self) {
        let files: Vec<_> = (1..=4)
            .map(|n| {
                let content = Content { seed: n, size: n * 1_000_003 };
                self.scratch.source_file(&format!("clip-{n}.bin"), content)
            })
            .collect();
        let mut args = vec!["put".as_ref(), "--json".as_ref()];
        args.extend(files.iter().map(|file| file.path.as_os_str()));
        let run = self.writer.run(args);
        run.expect_exit(0);
        let mut receipts: Vec<String> = run
            .json_lines()
            .iter()
            .map(|line| line["blake3"].as_str().expect("a receipt names the hash").to_owned())
            .collect();
        let mut expected: Vec<String> = files.iter().map(|f| f.digests.blake3.clone()).collect();
        receipts.sort();
        expected.sort();
        assert_eq!(receipts, expected);
    }
}
