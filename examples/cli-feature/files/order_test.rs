#[path = "../src/order.rs"]
mod order;

#[test]
fn the_longest_comes_first_and_equal_ones_go_by_name() {
    let mut counts = [("b", 2), ("c", 10), ("a", 2)].map(|(name, lines)| (name.to_owned(), lines));
    order::longest_first(&mut counts);
    assert_eq!(counts.map(|(name, _)| name), ["c", "a", "b"]);
}
