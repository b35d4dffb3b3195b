using Portvakt.Server.Commands;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

public sealed class ContractTests
{
    [Fact]
    public void The_phones_types_are_those_of_the_server()
    {
        var path = Path.Combine(PortvaktServer.Repository(), PhoneContract.Path);
        Assert.True(PhoneContract.Write() == File.ReadAllText(path), $"{PhoneContract.Path} is out of date: `dotnet run --project src/Portvakt.Server -- phone-contract > {PhoneContract.Path}`.");
    }
}
