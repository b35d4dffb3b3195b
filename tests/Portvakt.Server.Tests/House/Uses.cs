using System.Reflection;
using System.Reflection.Emit;

namespace Portvakt.Server.Tests.House;

/// <summary>Which types and members a type really uses: read from its signatures and from the instructions of its methods, so that no <c>using</c> can lie.</summary>
internal static class Uses
{
    private const BindingFlags All = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    public static IEnumerable<Type> TypesOf(Type type) => MembersOf(type).SelectMany(TypesIn).Concat(Signatures(type)).SelectMany(Parts).Distinct();

    /// <summary>Every type, method, constructor and field that some instruction of the type names.</summary>
    public static IEnumerable<MemberInfo> MembersOf(Type type) => Methods(type).SelectMany(Named);

    private static IEnumerable<MethodBase> Methods(Type type) => [.. type.GetMethods(All), .. type.GetConstructors(All)];

    private static IEnumerable<Type> Signatures(Type type) =>
    [
        .. type.BaseType is { } parent ? new[] { parent } : [],
        .. type.GetInterfaces(),
        .. type.GetFields(All).Select(field => field.FieldType),
        .. type.GetProperties(All).Select(property => property.PropertyType),
        .. Methods(type).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)),
        .. type.GetMethods(All).Select(method => method.ReturnType),
        .. Methods(type).SelectMany(method => method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? []),
    ];

    private static IEnumerable<Type> TypesIn(MemberInfo member) => member switch
    {
        Type type => [type],
        MethodInfo method => [method.DeclaringType!, .. method.IsGenericMethod ? method.GetGenericArguments() : []],
        _ => [member.DeclaringType!],
    };

    private static IEnumerable<Type> Parts(Type type) => type switch
    {
        { HasElementType: true } => Parts(type.GetElementType()!),
        { IsConstructedGenericType: true } => [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().SelectMany(Parts)],
        _ => [type],
    };

    private static IEnumerable<MemberInfo> Named(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code) yield break;
        var ofType = method.DeclaringType is { IsGenericType: true } owner ? owner.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var instruction = code[at] is 0xFE ? Codes[(short)(0xFE00 | code[at + 1])] : Codes[code[at]];
            at += instruction.Size;
            if (instruction.OperandType is OperandType.InlineTok or OperandType.InlineType or OperandType.InlineMethod or OperandType.InlineField)
                yield return method.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod)!;
            at += instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }
}
