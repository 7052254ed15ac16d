// The n-body simulation of the benchmarks game: floating point, to nine digits.
package main

import (
	"fmt"
	"math"
)

const (
	solarMass = 4 * math.Pi * math.Pi
	year      = 365.24
)

type body struct{ x, y, z, vx, vy, vz, mass float64 }

var bodies = []body{
	{0, 0, 0, 0, 0, 0, solarMass},
	{4.84143144246472082945e+00, -1.16032004402742839362e+00, -1.03622044471123109494e-01, 1.66007664274403694959e-03 * year, 7.69901118419740425080e-03 * year, -6.90460016972063023554e-05 * year, 9.54791938424326609124e-04 * solarMass},
	{8.34336671824457987790e+00, 4.12479856412430479268e+00, -4.03523417114321381185e-01, -2.76742510726411521165e-03 * year, 4.99852801234917238954e-03 * year, 2.30417297573763929463e-05 * year, 2.85885980666130812119e-04 * solarMass},
	{1.28943695621391310164e+01, -1.51111514016986312525e+01, -2.23307578892655734398e-01, 2.96460137564761618652e-03 * year, 2.37847173959480950424e-03 * year, -2.96589568540237556131e-05 * year, 4.36624404335156298062e-05 * solarMass},
	{1.53796971148509165498e+01, -2.59193146099879641146e+01, 1.79258772950371181757e-01, 2.68067772490389322072e-03 * year, 1.62824170038242295431e-03 * year, -9.51592254519715870971e-05 * year, 5.15138902046611451304e-05 * solarMass},
}

func energy() (e float64) {
	for i, b := range bodies {
		e += 0.5 * b.mass * (b.vx*b.vx + b.vy*b.vy + b.vz*b.vz)
		for _, o := range bodies[i+1:] {
			dx, dy, dz := b.x-o.x, b.y-o.y, b.z-o.z
			e -= b.mass * o.mass / math.Sqrt(dx*dx+dy*dy+dz*dz)
		}
	}
	return e
}

func advance(dt float64) {
	for i := range bodies {
		b := &bodies[i]
		for j := i + 1; j < len(bodies); j++ {
			o := &bodies[j]
			dx, dy, dz := b.x-o.x, b.y-o.y, b.z-o.z
			square := dx*dx + dy*dy + dz*dz
			magnitude := dt / (square * math.Sqrt(square))
			b.vx -= dx * o.mass * magnitude
			b.vy -= dy * o.mass * magnitude
			b.vz -= dz * o.mass * magnitude
			o.vx += dx * b.mass * magnitude
			o.vy += dy * b.mass * magnitude
			o.vz += dz * b.mass * magnitude
		}
	}
	for i := range bodies {
		b := &bodies[i]
		b.x += dt * b.vx
		b.y += dt * b.vy
		b.z += dt * b.vz
	}
}

func main() {
	var px, py, pz float64
	for _, b := range bodies {
		px, py, pz = px+b.vx*b.mass, py+b.vy*b.mass, pz+b.vz*b.mass
	}
	bodies[0].vx, bodies[0].vy, bodies[0].vz = -px/solarMass, -py/solarMass, -pz/solarMass
	fmt.Printf("%.9f\n", energy())
	for range 1_000_000 {
		advance(0.01)
	}
	fmt.Printf("%.9f\n", energy())
}
