use ac_library::{Dsu, ModInt998244353, Segtree, Max, convolution};
use itertools::Itertools;
use proconio::{fastout, input, marker::{Chars, Usize1}};

#[fastout]
fn main() {
    input! {
        n: usize,
        m: usize,
        edges: [(Usize1, Usize1); m],
        values: [i64; n],
        grid: [Chars; 2],
    }
    let mut groups = Dsu::new(n);
    for &(a, b) in &edges {
        groups.merge(a, b);
    }
    println!("{}", groups.groups().iter().map(|group| group.iter().map(|&v| v + 1).sorted().join("-")).sorted().join(" "));
    let tree = Segtree::<Max<i64>>::from(values.clone());
    println!("{} {}", tree.prod(1..4), tree.all_prod());
    let product = convolution::<ac_library::modint::Mod998244353>(&values.iter().map(|&v| ModInt998244353::new(v)).collect::<Vec<_>>(), &[1.into(), 2.into()]);
    println!("{}", product.iter().join(" "));
    println!("{}", grid.iter().map(|row| row.iter().rev().collect::<String>()).join("/"));
}
