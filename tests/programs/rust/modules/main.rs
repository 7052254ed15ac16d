mod geometry;
mod units;

use geometry::{Polygon, shapes::square};
use units::Metres;

fn main() {
    let plot = Polygon::new(vec![(0.0, 0.0), (4.0, 0.0), (4.0, 3.0)]);
    println!("{} corners, {:.2} around, {:.2} square", plot.corners(), plot.perimeter(), plot.area());
    println!("{}", square(2.5).area());
    println!("{}", Metres(1500.0) + Metres::from(units::Feet(10.0)));
    print!("{}", include_str!("notes.txt"));
}
