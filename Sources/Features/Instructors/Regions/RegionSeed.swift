/// The neighbourhoods of New York City that the product begins with: centres and
/// half sizes of the boxes around them, in millionths of a degree.
///
/// Part of a landed migration: what changes goes into a new one.
enum RegionSeed {
    typealias Region = (
        code: String, name: String, borough: String, latitude: Int, longitude: Int, halfHeight: Int,
        halfWidth: Int
    )

    static let all: [Region] = manhattan + brooklyn + queens + bronx + statenIsland

    private static let manhattan: [Region] = [
        ("MN01", "Harlem", "Manhattan", 40_811_600, -73_946_500, 10_500, 10_500),
        ("MN02", "East Harlem", "Manhattan", 40_795_700, -73_938_900, 10_500, 9_500),
        ("MN03", "Upper West Side", "Manhattan", 40_787_000, -73_975_400, 15_500, 12_500),
        ("MN04", "Upper East Side", "Manhattan", 40_773_600, -73_956_600, 14_500, 12_500),
        ("MN05", "Midtown", "Manhattan", 40_754_900, -73_984_000, 9_500, 16_500),
        ("MN06", "Chelsea", "Manhattan", 40_746_500, -74_001_400, 7_500, 8_500),
        ("MN07", "Gramercy", "Manhattan", 40_736_800, -73_984_500, 5_500, 6_500),
        ("MN08", "Greenwich Village", "Manhattan", 40_733_600, -74_002_700, 6_500, 8_500),
        ("MN09", "East Village", "Manhattan", 40_726_500, -73_981_500, 5_500, 9_500),
        ("MN10", "SoHo", "Manhattan", 40_723_300, -74_003_000, 5_000, 6_000),
        ("MN11", "Lower East Side", "Manhattan", 40_715_000, -73_984_300, 7_000, 10_500),
        ("MN12", "Tribeca", "Manhattan", 40_716_300, -74_008_600, 5_000, 5_500),
        ("MN13", "Financial District", "Manhattan", 40_707_500, -74_011_300, 7_000, 8_500),
        ("MN14", "Washington Heights", "Manhattan", 40_841_700, -73_939_400, 13_500, 9_500),
        ("MN15", "Inwood", "Manhattan", 40_867_700, -73_921_200, 8_500, 10_500),
    ]

    private static let brooklyn: [Region] = [
        ("BK01", "Williamsburg", "Brooklyn", 40_708_100, -73_957_100, 12_500, 16_500),
        ("BK02", "Greenpoint", "Brooklyn", 40_730_400, -73_951_500, 9_500, 12_500),
        ("BK03", "DUMBO", "Brooklyn", 40_703_300, -73_988_100, 3_500, 5_500),
        ("BK04", "Brooklyn Heights", "Brooklyn", 40_696_000, -73_993_300, 5_000, 5_500),
        ("BK05", "Fort Greene", "Brooklyn", 40_692_100, -73_974_200, 6_500, 8_500),
        ("BK06", "Park Slope", "Brooklyn", 40_671_000, -73_981_400, 11_500, 10_500),
        ("BK07", "Bedford-Stuyvesant", "Brooklyn", 40_687_200, -73_941_800, 11_500, 18_500),
        ("BK08", "Bushwick", "Brooklyn", 40_694_400, -73_921_300, 12_500, 15_500),
        ("BK09", "Crown Heights", "Brooklyn", 40_668_100, -73_944_800, 10_500, 19_500),
        ("BK10", "Bay Ridge", "Brooklyn", 40_626_400, -74_029_900, 14_500, 12_500),
        ("BK11", "Sunset Park", "Brooklyn", 40_645_500, -74_012_400, 13_500, 14_500),
        ("BK12", "Flatbush", "Brooklyn", 40_640_900, -73_962_400, 14_500, 12_500),
        ("BK13", "Coney Island", "Brooklyn", 40_575_500, -73_970_700, 6_500, 20_500),
    ]

    private static let queens: [Region] = [
        ("QN01", "Astoria", "Queens", 40_764_400, -73_923_500, 14_500, 17_500),
        ("QN02", "Long Island City", "Queens", 40_744_700, -73_948_500, 10_500, 10_500),
        ("QN03", "Sunnyside", "Queens", 40_743_300, -73_919_600, 6_500, 10_500),
        ("QN04", "Jackson Heights", "Queens", 40_755_700, -73_883_100, 8_500, 12_500),
        ("QN05", "Flushing", "Queens", 40_767_500, -73_833_100, 16_500, 17_500),
        ("QN06", "Forest Hills", "Queens", 40_718_100, -73_844_800, 11_500, 13_500),
        ("QN07", "Jamaica", "Queens", 40_702_700, -73_789_000, 16_500, 18_500),
        ("QN08", "Rockaway Beach", "Queens", 40_586_000, -73_811_500, 8_500, 18_500),
    ]

    private static let bronx: [Region] = [
        ("BX01", "Riverdale", "Bronx", 40_900_500, -73_906_100, 14_500, 10_500),
        ("BX02", "Fordham", "Bronx", 40_861_500, -73_890_500, 8_500, 10_500),
        ("BX03", "Mott Haven", "Bronx", 40_809_100, -73_922_900, 7_500, 10_500),
        ("BX04", "Morris Park", "Bronx", 40_855_000, -73_858_000, 8_500, 11_500),
        ("BX05", "Throgs Neck", "Bronx", 40_820_000, -73_819_000, 12_500, 13_500),
    ]

    private static let statenIsland: [Region] = [
        ("SI01", "St. George", "Staten Island", 40_643_700, -74_073_600, 7_500, 8_500),
        ("SI02", "New Dorp", "Staten Island", 40_573_900, -74_116_000, 9_500, 12_500),
        ("SI03", "Tottenville", "Staten Island", 40_508_300, -74_235_500, 10_500, 14_500),
    ]
}
