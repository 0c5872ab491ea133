// SPDX-License-Identifier: Apache-2.0
// Beans with a value of every kind, some of which no client can read. Expected lines: test_jmx_exporter.py.
import java.lang.management.*;
import javax.management.*;
import javax.management.openmbean.*;
import java.util.*;
import java.math.*;
import java.util.concurrent.atomic.*;
public class Zoo {
  public enum Color { RED, GREEN }
  public static class Custom implements java.io.Serializable { public int a = 5; public String s = "x"; }
  public interface AllMBean {
    byte getB();
    boolean isZ();
    long getL();
    short getS();
    int getI();
    float getF();
    double getD();
    char getC();
    String getStr();
    Color getColor();
    BigInteger getBigI();
    BigDecimal getBigD();
    AtomicLong getAtomL();
    Date getDate();
    double getNan();
    double getInf();
    CompositeData getComp() throws Exception;
    TabularData getTab() throws Exception;
    ObjectName getOn() throws Exception;
    int[] getArr();
    List<String> getList();
    Map<String,String> getMap();
    Object getNul();
    int getThrowing();
    Custom getCustom();
    Float getFloatObj();
    BigDecimal getBigE();
    BigDecimal getBigNeg(); }
  public static class All implements AllMBean {
    public byte getB(){return -5;}
      public boolean isZ(){return true;}
      public long getL(){return 1L<<40;}
      public short getS(){return -300;}
      public int getI(){return 7;}
      public float getF(){return 0.1f;}
      public double getD(){return 1.5;}
      public char getC(){return 'c';}
      public String getStr(){return "h\u00e9llo\uD83D\uDE00";}
      public Color getColor(){return Color.GREEN;}
    public BigInteger getBigI(){return new BigInteger("123456789012345678901234567890");}
      public BigDecimal getBigD(){return new BigDecimal("1234.5678");}
      public AtomicLong getAtomL(){return new AtomicLong(77);}
      public Date getDate(){return new Date(1700000000123L);}
      public double getNan(){return Double.NaN;}
      public double getInf(){return Double.NEGATIVE_INFINITY;}
    public CompositeData getComp() throws Exception { CompositeType n=new CompositeType("n","nd",new String[]{"u"},new String[]{"ud"},new OpenType[]{SimpleType.INTEGER});
        CompositeType t=new CompositeType("t","td",new String[]{"x","nested"},new String[]{"xd","nd"},new OpenType[]{SimpleType.INTEGER,n});
        return new CompositeDataSupport(t,new String[]{"x","nested"},new Object[]{1,new CompositeDataSupport(n,new String[]{"u"},new Object[]{99})}); }
    public TabularData getTab() throws Exception { CompositeType t=new CompositeType("t","td",new String[]{"key","value","extra"},new String[]{"k","v","e"},new OpenType[]{SimpleType.STRING,SimpleType.INTEGER,SimpleType.DOUBLE});
        TabularDataSupport d=new TabularDataSupport(new TabularType("tt","ttd",t,new String[]{"key"}));
        d.put(new CompositeDataSupport(t,new String[]{"key","value","extra"},new Object[]{"k1",1,0.1}));
        d.put(new CompositeDataSupport(t,new String[]{"key","value","extra"},new Object[]{"k2",2,0.2}));
        return d; }
    public ObjectName getOn() throws Exception {return new ObjectName("a:b=c");}
      public int[] getArr(){return new int[]{1};}
      public List<String> getList(){return new ArrayList<>(List.of("a"));}
      public Map<String,String> getMap(){return new HashMap<>(Map.of("a","b"));}
      public Object getNul(){return null;}
      public int getThrowing(){throw new RuntimeException("no");}
      public Custom getCustom(){return new Custom();}
      public Float getFloatObj(){return 3.3f;}
      public BigDecimal getBigE(){return new BigDecimal("1E+30");}
      public BigDecimal getBigNeg(){return new BigDecimal("-0.000000012");}
  }
  public interface BadMBean { Object getOk(); Object getThread(); Object getOpt(); Object getDur(); Object getAfter(); }
  public static class Bad implements BadMBean {
    public Object getOk(){return 5;}
    public Object getThread(){return Thread.currentThread();}
    public Object getOpt(){return Optional.of(1);}
    public Object getDur(){return java.time.Duration.ofSeconds(5);}
    public Object getAfter(){return 6;} }
  public static class Pt { int x; @java.beans.ConstructorProperties({"x"}) public Pt(int x){this.x=x;} public int getX(){return x;} }
  public interface ThingMXBean { Map<String,Pt> getPts(); Map<String,Map<String,Integer>> getNested(); }
  public static class Thing implements ThingMXBean {
    public Map<String,Pt> getPts(){return Map.of("one",new Pt(1));}
    public Map<String,Map<String,Integer>> getNested(){return Map.of("o1",Map.of("i1",4));} }
  public static void main(String[] a) throws Exception { MBeanServer s=ManagementFactory.getPlatformMBeanServer();
      s.registerMBean(new StandardMBean(new All(),AllMBean.class),new ObjectName("test:type=All,name=all"));
      s.registerMBean(new StandardMBean(new Bad(),BadMBean.class),new ObjectName("test:type=Bad"));
      s.registerMBean(new Thing(),new ObjectName("test:type=Thing,zeta=1,alpha=\"q,=:\\*\\\"\\\\x\""));
      System.out.println("ready");
      Thread.sleep(1000000000L); }
}
