use super::Polygon;

pub fn square(side: f64) -> Polygon {
    Polygon::new(vec![(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)])
}
