use std::collections::HashMap;
use std::fmt::{self, Debug, Display};
use std::ops::{Add, Index, Mul, Neg};

trait Shape {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        String::from("shape")
    }
}

struct Circle(f64);
struct Rectangle {
    width: f64,
    height: f64,
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.0 * self.0
    }
    fn name(&self) -> String {
        format!("circle of radius {}", self.0)
    }
}

impl Shape for Rectangle {
    fn area(&self) -> f64 {
        self.width * self.height
    }
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
struct Vector<const N: usize>([f64; N])
where
    [f64; N]: Default;

impl<const N: usize> Add for Vector<N>
where
    [f64; N]: Default,
{
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
        self
    }
}

impl<const N: usize> Mul for Vector<N>
where
    [f64; N]: Default,
{
    type Output = f64;
    fn mul(self, other: Self) -> f64 {
        self.0.iter().zip(other.0).map(|(a, b)| a * b).sum()
    }
}

impl<const N: usize> Neg for Vector<N>
where
    [f64; N]: Default,
{
    type Output = Self;
    fn neg(self) -> Self {
        Vector(self.0.map(|x| -x))
    }
}

impl<const N: usize> Index<usize> for Vector<N>
where
    [f64; N]: Default,
{
    type Output = f64;
    fn index(&self, at: usize) -> &f64 {
        &self.0[at]
    }
}

impl<const N: usize> Display for Vector<N>
where
    [f64; N]: Default,
{
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "({})", self.0.map(|x| format!("{x:.1}")).join(", "))
    }
}

struct Cache<F: Fn(u64) -> u64> {
    compute: F,
    known: HashMap<u64, u64>,
    misses: u32,
}

impl<F: Fn(u64) -> u64> Cache<F> {
    fn get(&mut self, key: u64) -> u64 {
        *self.known.entry(key).or_insert_with(|| {
            self.misses += 1;
            (self.compute)(key)
        })
    }
}

fn largest<'a, T: PartialOrd>(items: &'a [T]) -> Option<&'a T> {
    let mut items = items.iter();
    let first = items.next()?;
    Some(items.fold(first, |best, item| if item > best { item } else { best }))
}

fn describe(value: &dyn Debug, times: impl Into<usize>) -> String {
    format!("{value:?} ").repeat(times.into()).trim_end().to_owned()
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Circle(1.5)), Box::new(Rectangle { width: 3.0, height: 4.0 })];
    for shape in &shapes {
        println!("{}: {:.3}", shape.name(), shape.area());
    }
    let (a, b) = (Vector([1.0, 2.0, 3.0]), Vector([4.0, -5.0, 6.0]));
    println!("{} {} {} {}", a + b, a * b, -a, b[1]);
    println!("{:?} {}", Vector::<2>::default(), a < b);
    let mut cache = Cache { compute: |n| (1..=n).product(), known: HashMap::new(), misses: 0 };
    println!("{} {} {} with {} misses", cache.get(10), cache.get(5), cache.get(10), cache.misses);
    println!("{:?} {:?} {:?}", largest(&[3, 9, 2]), largest(&["b", "a"]), largest::<f64>(&[]));
    println!("{}", describe(&Some('x'), 3u8));
}
