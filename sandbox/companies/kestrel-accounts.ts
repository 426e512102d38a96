import * as z from 'zod';

const accountSchema = z.object({
  number: z.string(),
  name: z.string(),
  currency: z.enum(['USD', 'EUR', 'GBP']),
  plan: z.enum(['Starter', 'Pro', 'Enterprise']),
  seats: z.string(),
  /** Billed for API calls and storage as well, by an invoice of its own. */
  usage: z.enum(['usage', '-']),
  /** By card in the monthly payment run, by wire when somebody gets to it, or late. */
  pays: z.enum(['card', 'wire', 'late']),
  contact: z.string(),
  line1: z.string(),
  city: z.string(),
  state: z.string(),
  postal: z.string(),
  country: z.string(),
  email: z.string(),
});
export type MonthAccount = z.infer<typeof accountSchema>;

/** One account per line, in the order of the schema. Every name is invented. */
const table = `
KR-10023 | Northgate Dental Group | USD | Pro | 25 | usage | card | Ada Byrne | 12 Mill Rd | Dayton | Ohio | 45402 | United States | ada@northgate.example
KR-10031 | Hollis Freight LLC | USD | Pro | 40 | usage | wire | Ray Hollis | 400 Depot St | Dayton | Ohio | 45402 | United States | ap@hollis.example
KR-10038 | Alder Creek Orthodontics | USD | Starter | 12 | - | card | Mina Okafor | 88 Alder Ln | Columbus | Ohio | 43215 | United States | office@aldercreek.example
KR-10044 | Brightwater Analytics Inc. | USD | Enterprise | 120 | usage | wire | Tom Varga | 1500 Lake Ave | Chicago | Illinois | 60611 | United States | payables@brightwater.example
KR-10052 | Cobalt Ridge Outfitters | USD | Pro | 18 | - | card | Lena Strand | 7 Summit Pl | Boulder | Colorado | 80302 | United States | billing@cobaltridge.example
KR-10057 | Dunmore Family Clinics | USD | Pro | 60 | usage | card | Priya Nair | 221 Dunmore Blvd | Austin | Texas | 78701 | United States | finance@dunmore.example
KR-10063 | Eastlight Print Co. | USD | Starter | 8 | - | card | Walt Jensen | 19 Foundry St | Portland | Oregon | 97209 | United States | walt@eastlight.example
KR-10070 | Fernhollow Nurseries | USD | Starter | 15 | - | late | Gail Amory | 3 Fernhollow Rd | Eugene | Oregon | 97401 | United States | gail@fernhollow.example
KR-10078 | Granite Peak Insurance | USD | Enterprise | 85 | usage | wire | Nora Quist | 900 Granite Way | Denver | Colorado | 80202 | United States | ap@granitepeak.example
KR-10081 | Harborline Seafoods | USD | Pro | 22 | - | card | Sam Oduya | 41 Pier Rd | Seattle | Washington | 98101 | United States | accounts@harborline.example
KR-10089 | Ironbridge Tooling | USD | Pro | 30 | usage | card | Vic Marsh | 660 Bridge St | Cleveland | Ohio | 44113 | United States | ap@ironbridge.example
KR-10095 | Juniper Street Theatre | USD | Starter | 6 | - | late | Olive Hart | 55 Juniper St | Albany | New York | 12207 | United States | boxoffice@juniper.example
KR-10104 | Kettle Moraine Dairy | USD | Pro | 16 | - | wire | Ed Novak | 8 Moraine Dr | Rockford | Illinois | 61101 | United States | ed@kettlemoraine.example
KR-10112 | Lakeshore Legal Partners LLP | USD | Enterprise | 48 | usage | wire | Irene Cho | 300 Shore Dr | Boston | Massachusetts | 02110 | United States | invoices@lakeshorelegal.example
KR-10119 | Mesa Verde Solar | USD | Pro | 35 | usage | card | Luis Ortega | 77 Mesa Rd | El Paso | Texas | 79901 | United States | finance@mesaverde.example
KR-10126 | Nightjar Studios | USD | Starter | 10 | - | card | Fay Lind | 14 Loft Ct | Brooklyn | New York | 11201 | United States | fay@nightjar.example
KR-10133 | Oxbow Logistics | USD | Pro | 55 | usage | wire | Carl Weems | 2 Oxbow Pkwy | Houston | Texas | 77002 | United States | ap@oxbow.example
KR-10140 | Pinnacle Hearing Centers | USD | Pro | 28 | - | card | Joan Petty | 610 Main St | Toledo | Ohio | 43604 | United States | joan@pinnaclehearing.example
KR-10148 | Quarry Road Brewing | USD | Starter | 9 | - | late | Hank Doyle | 1 Quarry Rd | Worcester | Massachusetts | 01608 | United States | hank@quarryroad.example
KR-10155 | Redfern Veterinary Group | USD | Pro | 20 | - | card | Beth Arnaud | 95 Redfern Ave | Spokane | Washington | 99201 | United States | beth@redfern.example
KR-10161 | Sable Coast Realty | USD | Pro | 14 | - | wire | Ines Kroll | 480 Coast Hwy | Tacoma | Washington | 98402 | United States | office@sablecoast.example
KR-10170 | Tallgrass Software | USD | Enterprise | 64 | usage | card | Omar Reyes | 12 Prairie Ct | Dallas | Texas | 75201 | United States | ap@tallgrass.example
KR-20007 | Tornow Messtechnik GmbH | EUR | Pro | 20 | usage | wire | Jens Tornow | Hafenstr. 8 | Kiel | - | 24103 | Germany | buchhaltung@tornow.example
KR-20011 | Ahlbeck Optik AG | EUR | Pro | 32 | usage | card | Silke Ahlbeck | Lindenweg 4 | Jena | - | 07743 | Germany | rechnung@ahlbeck.example
KR-20018 | Brasserie Corvin SARL | EUR | Starter | 7 | - | card | Luc Corvin | 6 rue du Port | Nantes | - | 44000 | France | compta@corvin.example
KR-20024 | Delvaux Horlogerie SA | EUR | Pro | 12 | usage | late | Anne Delvaux | 18 quai des Horlogers | Lyon | - | 69002 | France | factures@delvaux.example
KR-20029 | Fietsfabriek Noord BV | EUR | Pro | 26 | usage | late | Daan Visser | Noorderkade 101 | Groningen | - | 9712 AB | Netherlands | administratie@fietsnoord.example
KR-20033 | Galerie Hofmeister | EUR | Starter | 5 | - | card | Eva Hofmeister | Burggasse 22 | Wien | - | 1070 | Austria | eva@hofmeister.example
KR-20040 | Kranbau Reitz GmbH | EUR | Enterprise | 75 | usage | late | Uwe Reitz | Industriestr. 31 | Essen | - | 45127 | Germany | kreditoren@reitz.example
KR-20046 | Lough Derg Marine Ltd | EUR | Pro | 17 | - | wire | Aoife Nolan | 2 Quayside | Limerick | - | V94 X2Y8 | Ireland | accounts@loughderg.example
KR-20052 | Molino Sanz SL | EUR | Starter | 11 | - | card | Pilar Sanz | Calle del Molino 9 | Zaragoza | - | 50003 | Spain | facturas@molinosanz.example
KR-20059 | Vellinga Zaden BV | EUR | Pro | 21 | usage | wire | Femke Vellinga | Zaadmarkt 14 | Zutphen | - | 7201 DB | Netherlands | inkoop@vellinga.example
KR-20065 | Zwirnerei Oberland KG | EUR | Pro | 19 | - | wire | Kurt Egli | Spulenstr. 3 | Kempten | - | 87435 | Germany | kurt@zwirnerei.example
KR-30004 | Ashcombe Pharmacies Ltd | GBP | Enterprise | 52 | usage | card | Helen Ashcombe | 14 Market Row | Bath | - | BA1 1LZ | United Kingdom | ledger@ashcombe.example
KR-30009 | Blackthorn Surveys Ltd | GBP | Pro | 23 | - | wire | Rhys Morgan | 3 Dock View | Cardiff | - | CF10 4BZ | United Kingdom | rhys@blackthorn.example
KR-30013 | Crannog Heritage Trust | GBP | Starter | 14 | - | card | Isla Munro | 27 Castle Wynd | Stirling | - | FK8 1EG | United Kingdom | isla@crannog.example
KR-30020 | Dovetail Joinery Works | GBP | Starter | 9 | - | card | Pete Rigby | 5 Sawmill Yard | Leeds | - | LS1 4DL | United Kingdom | pete@dovetail.example
KR-30026 | Marlow & Finch Ltd | GBP | Pro | 31 | - | late | Jane Finch | 40 Wharf Lane | Bristol | - | BS1 4RN | United Kingdom | accounts@marlowfinch.example
KR-30031 | Pemberley Travel plc | GBP | Pro | 44 | usage | card | Omar Siddiq | 8 Kings Parade | York | - | YO1 7HH | United Kingdom | purchase@pemberley.example
KR-30038 | Thistledown Wool Co. | GBP | Starter | 13 | - | late | Ewan Reid | 11 Mill Brae | Galashiels | - | TD1 1SQ | United Kingdom | ewan@thistledown.example
`;

const columns = Object.keys(accountSchema.shape);

/** The billing accounts of Kestrel Software: 22 in USD, 11 in EUR, 7 in GBP. */
export const monthAccounts: readonly MonthAccount[] = table
  .trim()
  .split('\n')
  .map((line) => accountSchema.parse(Object.fromEntries(line.split(' | ').map((value, index) => [columns[index], value]))));
