//! What is put comes back byte for byte, and its digests are the ones that public tools print.

use custos_tests::{DevCluster, Scratch, Seed, round_trip::RoundTrip};

#[test]
fn files_of_every_critical_size_come_back_byte_for_byte() {
    in_one_process("round-trip", |clients| {
        clients.files_of_every_critical_size_come_back_byte_for_byte(Seed::draw());
    });
}

#[test]
fn any_byte_range_equals_the_same_range_of_the_file() {
    in_one_process("ranges", |clients| {
        clients.any_byte_range_equals_the_same_range_of_the_file(Seed::draw());
    });
}

#[test]
fn a_range_goes_into_an_output_file_too() {
    in_one_process("range-file", |clients| clients.a_range_goes_into_an_output_file_too());
}

#[test]
fn without_an_output_file_the_bytes_go_to_standard_output() {
    in_one_process("standard-output", |clients| {
        clients.without_an_output_file_the_bytes_go_to_standard_output()
    });
}

#[test]
fn several_files_in_one_put_give_one_receipt_each() {
    in_one_process("several", |clients| clients.several_files_in_one_put_give_one_receipt_each());
}

fn in_one_process(name: &str, case: impl FnOnce(&RoundTrip<'_>)) {
    let scratch = Scratch::new(name);
    let cluster = DevCluster::start(&scratch);
    case(&RoundTrip { scratch: &scratch, writer: cluster.cli(), reader: cluster.cli() });
}
