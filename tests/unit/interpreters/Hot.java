// SPDX-License-Identifier: Apache-2.0
// A method that is run until it is compiled. Then waits.
package app;

public class Hot {
  static long find(long count) {
    long sum = 0;
    for (long i = 0; i < count; i++) sum += i % 7;
    return sum;
  }

  public static void main(String[] arguments) throws Exception {
    long all = 0;
    for (int i = 0; i < 20000; i++) all += find(1000);
    System.out.println(all);
    System.out.println("ready");
    System.in.read();
  }
}
