import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.StringTokenizer;

/** Dijkstra and breadth-first search on a graph from stdin, as judges' solutions are written. */
class Solution {
    record Edge(int to, int weight) {}

    static StringTokenizer tokens;
    static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));

    static int next() throws IOException {
        while (tokens == null || !tokens.hasMoreTokens()) {
            tokens = new StringTokenizer(IN.readLine());
        }
        return Integer.parseInt(tokens.nextToken());
    }

    public static void main(String[] args) throws IOException {
        int n = next();
        int m = next();
        List<List<Edge>> graph = new ArrayList<>();
        for (int i = 0; i <= n; i++) {
            graph.add(new ArrayList<>());
        }
        for (int i = 0; i < m; i++) {
            int a = next();
            int b = next();
            int w = next();
            graph.get(a).add(new Edge(b, w));
            graph.get(b).add(new Edge(a, w));
        }
        long[] distance = new long[n + 1];
        Arrays.fill(distance, Long.MAX_VALUE);
        PriorityQueue<long[]> queue = new PriorityQueue<>((x, y) -> Long.compare(x[0], y[0]));
        distance[1] = 0;
        queue.add(new long[] {0, 1});
        while (!queue.isEmpty()) {
            long[] top = queue.poll();
            int node = (int) top[1];
            if (top[0] > distance[node]) {
                continue;
            }
            for (Edge edge : graph.get(node)) {
                long through = top[0] + edge.weight();
                if (through < distance[edge.to()]) {
                    distance[edge.to()] = through;
                    queue.add(new long[] {through, edge.to()});
                }
            }
        }
        int[] hops = new int[n + 1];
        Arrays.fill(hops, -1);
        hops[1] = 0;
        ArrayDeque<Integer> front = new ArrayDeque<>(List.of(1));
        while (!front.isEmpty()) {
            int node = front.poll();
            for (Edge edge : graph.get(node)) {
                if (hops[edge.to()] < 0) {
                    hops[edge.to()] = hops[node] + 1;
                    front.add(edge.to());
                }
            }
        }
        PrintWriter out = new PrintWriter(System.out);
        for (int i = 1; i <= n; i++) {
            out.println(i + " " + (hops[i] < 0 ? "unreachable" : distance[i] + " " + hops[i]));
        }
        out.flush();
    }
}
