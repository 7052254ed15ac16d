pub mod shapes;

pub struct Polygon {
    points: Vec<(f64, f64)>,
}

impl Polygon {
    pub fn new(points: Vec<(f64, f64)>) -> Self {
        Polygon { points }
    }

    pub fn corners(&self) -> usize {
        self.points.len()
    }

    pub fn perimeter(&self) -> f64 {
        self.sides().map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1)).sum()
    }

    pub fn area(&self) -> f64 {
        self.sides().map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>().abs() / 2.0
    }

    fn sides(&self) -> impl Iterator<Item = ((f64, f64), (f64, f64))> + '_ {
        let next = self.points.iter().cycle().skip(1);
        self.points.iter().copied().zip(next.copied())
    }
}
