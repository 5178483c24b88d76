# frozen_string_literal: true

puts "printed while booting"
raise KeyError, "no such setting"
