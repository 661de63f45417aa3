//! What is put over one gateway comes back over another, byte for byte: the cases of one process
//! (`put_get_round_trip.rs`) against a ledger, six storage nodes and two gateways, each a process
//! of its own.

use custos_tests::{NodeCluster, Scratch, Seed, round_trip::RoundTrip};

#[test]
fn what_is_put_over_one_gateway_comes_back_over_the_other_byte_for_byte() {
    let seed = Seed::draw();
    let scratch = Scratch::new("cluster-round-trip");
    let cluster = NodeCluster::start(&scratch);
    let clients = RoundTrip { scratch: &scratch, writer: cluster.cli(0), reader: cluster.cli(1) };
    clients.files_of_every_critical_size_come_back_byte_for_byte(seed);
    clients.any_byte_range_equals_the_same_range_of_the_file(seed);
    clients.a_range_goes_into_an_output_file_too();
    clients.without_an_output_file_the_bytes_go_to_standard_output();
    clients.several_files_in_one_put_give_one_receipt_each();
}
