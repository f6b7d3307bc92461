using System.Collections.Concurrent;
using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Attune.Core.Options;

/// <summary>The options of a record type, read from its members: one definition for the command line, the recipe and the lineage.</summary>
public static class OptionsSchema
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<OptionField>> Known = new();

    /// <summary>The fields of a record in the order of declaration, inherited ones first.</summary>
    /// <exception cref="InvalidOperationException">A member has no description or a type that options cannot have: a fault of the program.</exception>
    public static IReadOnlyList<OptionField> Of<T>() => Of(typeof(T));

    /// <inheritdoc cref="Of{T}"/>
    public static IReadOnlyList<OptionField> Of(Type type) => Known.GetOrAdd(type, t => Read(t, "", "--", []));

    /// <summary>The fields that hold values, those of nested records in their place: what the command line offers as flags.</summary>
    public static IReadOnlyList<OptionField> Leaves<T>() => Leaves(typeof(T));

    /// <inheritdoc cref="Leaves{T}"/>
    public static IReadOnlyList<OptionField> Leaves(Type type) => [.. Flatten(Of(type))];

    /// <summary>A new record with its defaults; required members are left unset.</summary>
    internal static object New(Type type) => Activator.CreateInstance(type)
        ?? throw new InvalidOperationException($"{type.Name} cannot be made without arguments.");

    private static IEnumerable<OptionField> Flatten(IEnumerable<OptionField> fields) =>
        fields.SelectMany(f => f.Kind == OptionKind.Record ? Flatten(f.Fields) : [f]);

    private static IReadOnlyList<OptionField> Read(Type type, string path, string flag, HashSet<Type> above)
    {
        if (!above.Add(type))
            throw new InvalidOperationException($"{type.Name} holds itself: options are a tree.");
        var defaults = New(type);
        var fields = new List<OptionField>();
        foreach (var property in Members(type))
            fields.Add(Field(property, defaults, path, flag, above));
        above.Remove(type);
        return fields;
    }

    private static IEnumerable<PropertyInfo> Members(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.SetMethod is { IsPublic: true } && p.GetIndexParameters().Length == 0)
        .OrderBy(p => Depth(p.DeclaringType!))
        .ThenBy(p => p.MetadataToken);

    private static int Depth(Type type) => type.BaseType is { } parent ? 1 + Depth(parent) : 0;

    private static OptionField Field(PropertyInfo property, object defaults, string path, string flag, HashSet<Type> above)
    {
        var inner = Nullable.GetUnderlyingType(property.PropertyType);
        var type = inner ?? property.PropertyType;
        var kind = KindOf(type) ?? throw new InvalidOperationException(
            $"{property.DeclaringType!.Name}.{property.Name}: options cannot be of type {type.Name}.");
        var key = OptionText.Key(property.Name);
        var description = property.GetCustomAttribute<DescriptionAttribute>()?.Description
            ?? throw new InvalidOperationException($"{property.DeclaringType!.Name}.{property.Name} has no [Description].");
        var required = property.IsDefined(typeof(RequiredMemberAttribute));
        var ownFlag = flag + key.Replace('_', '-');
        return new OptionField
        {
            Name = property.Name,
            Key = key,
            Path = path + key,
            Flag = ownFlag,
            Kind = kind,
            Type = type,
            Nullable = inner is not null || (!type.IsValueType && IsNullable(property)),
            Default = required ? null : property.GetValue(defaults),
            Description = description,
            Required = required,
            Choices = type.IsEnum ? [.. Enum.GetNames(type).Select(OptionText.Key)] : [],
            Fields = kind == OptionKind.Record ? Read(type, path + key + ".", ownFlag + "-", above) : [],
            Property = property,
        };
    }

    private static bool IsNullable(PropertyInfo property) =>
        new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    private static OptionKind? KindOf(Type type) =>
        type == typeof(bool) ? OptionKind.Bool
        : type == typeof(int) || type == typeof(long) ? OptionKind.Integer
        : type == typeof(double) ? OptionKind.Number
        : type == typeof(string) ? OptionKind.Text
        : type == typeof(TimeSpan) ? OptionKind.Duration
        : type.IsEnum ? OptionKind.Choice
        : type.IsAssignableFrom(typeof(List<string>)) && type != typeof(object) ? OptionKind.TextList
        : type is { IsClass: true, IsAbstract: false } && type.GetConstructor(Type.EmptyTypes) is not null ? OptionKind.Record
        : null;
}
